-- One row always: the key, when there is one, and whether the subject was erased.
SELECT data_key.key_id,
       data_key.wrapped,
       data_key.tenant_key_version AS version,
       tombstone.subject IS NOT NULL AS erased
  FROM (VALUES (CAST(:tenant AS text), CAST(:subject AS text))) AS asked (tenant, subject)
  LEFT JOIN keyring.data_key USING (tenant, subject)
  LEFT JOIN keyring.tombstone USING (tenant, subject);
