-- Returns the subjects that had none. Remembers the keys' ids, so that an erased key is told from
-- one that never was.
INSERT INTO keyring.tombstone (tenant, subject, key_id, erased_at, request_id)
SELECT erased.tenant, erased.subject, data_key.key_id, now(), CAST(:request_id AS text)
  FROM (SELECT CAST(:tenant AS text) AS tenant, unnest(CAST(:subjects AS text[])) AS subject) AS erased
  LEFT JOIN keyring.data_key USING (tenant, subject)
    ON CONFLICT (tenant, subject) DO NOTHING
RETURNING subject;
