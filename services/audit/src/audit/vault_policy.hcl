# What audit may ask of Vault.
path "transit/sign/token-audit" { capabilities = ["create", "update"] }
path "transit/sign/archive-audit" { capabilities = ["create", "update"] }
path "transit/keys/+" { capabilities = ["read"] }
# Not create: a mistyped tenant would make a key.
path "transit/encrypt/+" { capabilities = ["update"] }
path "transit/decrypt/+" { capabilities = ["create", "update"] }
path "database/creds/audit" { capabilities = ["read"] }
path "database/creds/keyring-audit" { capabilities = ["read"] }
path "secret/data/careline/nats/audit" { capabilities = ["read"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
