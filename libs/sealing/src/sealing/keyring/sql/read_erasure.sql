SELECT patient, erased_at FROM keyring.erasure
 WHERE tenant = :tenant AND request_id = :request_id;
