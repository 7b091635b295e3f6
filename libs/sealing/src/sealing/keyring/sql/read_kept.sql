SELECT subject, array_agg(patient ORDER BY patient) AS patients FROM keyring.kept
 WHERE tenant = :tenant AND request_id = :request_id
 GROUP BY subject
 ORDER BY subject;
