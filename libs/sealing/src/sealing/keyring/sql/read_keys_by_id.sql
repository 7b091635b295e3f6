-- Each id is in one of the two, or in neither when it never was: one snapshot sees both.
SELECT key_id, subject, wrapped, tenant_key_version AS version, NULL AS erased_at
  FROM keyring.data_key
 WHERE tenant = :tenant AND key_id = ANY (:ids)
 UNION ALL
SELECT key_id, subject, NULL, NULL, erased_at
  FROM keyring.tombstone
 WHERE tenant = :tenant AND key_id = ANY (:ids);
