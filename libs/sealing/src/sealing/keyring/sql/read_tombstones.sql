SELECT subject FROM keyring.tombstone
 WHERE tenant = :tenant AND subject = ANY (:subjects)
 ORDER BY subject;
