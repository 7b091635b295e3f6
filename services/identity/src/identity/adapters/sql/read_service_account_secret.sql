SELECT secret_digest, sealed FROM identity.service_account_secret
WHERE tenant = :tenant AND service_account = :service_account
