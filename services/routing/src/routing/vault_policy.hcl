# What routing may ask of Vault.
path "transit/sign/token-routing" { capabilities = ["create", "update"] }
path "transit/sign/archive-routing" { capabilities = ["create", "update"] }
path "transit/keys/+" { capabilities = ["read"] }
# Not create: a mistyped tenant would make a key.
path "transit/encrypt/+" { capabilities = ["update"] }
path "transit/decrypt/+" { capabilities = ["create", "update"] }
path "database/creds/routing" { capabilities = ["read"] }
path "database/creds/keyring-routing" { capabilities = ["read"] }
path "secret/data/careline/nats/routing" { capabilities = ["read"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
