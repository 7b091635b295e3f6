INSERT INTO keyring.erasure (tenant, request_id, patient)
VALUES (:tenant, :request_id, :patient)
RETURNING erased_at;
