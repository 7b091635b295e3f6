UPDATE identity.service_account_secret SET sealed = NULL
WHERE tenant = :tenant AND service_account = :service_account AND sealed IS NOT NULL
