INSERT INTO identity.service_account_secret (tenant, service_account, secret_digest, sealed)
VALUES (:tenant, :service_account, :secret_digest, :sealed)
ON CONFLICT DO NOTHING
