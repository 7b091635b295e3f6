SELECT subject FROM keyring.tombstone
 WHERE tenant = :tenant AND request_id = :request_id
 ORDER BY subject;
