-- Returns no row when the subject has a key or a tombstone.
INSERT INTO keyring.data_key (key_id, tenant, subject, wrapped, tenant_key_version)
SELECT CAST(:key_id AS uuid), asked.tenant, asked.subject,
       CAST(:wrapped AS bytea), CAST(:tenant_key_version AS integer)
  FROM (VALUES (CAST(:tenant AS text), CAST(:subject AS text))) AS asked (tenant, subject)
 WHERE NOT EXISTS (SELECT FROM keyring.tombstone
                    WHERE tombstone.tenant = asked.tenant AND tombstone.subject = asked.subject)
    ON CONFLICT (tenant, subject) DO NOTHING
RETURNING key_id;
