# The migrations job: has logins made that may become the owners of schemas, and ends them.
path "database/creds/migrations" { capabilities = ["read"] }
path "database/creds/keyring-migrations" { capabilities = ["read"] }
path "sys/leases/revoke" { capabilities = ["update"] }
