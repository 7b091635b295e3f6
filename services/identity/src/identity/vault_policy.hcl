# What identity may ask of Vault. Only identity signs callers' assertions. It may not make tenants'
# keys: a tenant that somebody writes into a sign-in is none because he does.
path "transit/sign/token-identity" { capabilities = ["create", "update"] }
path "transit/sign/archive-identity" { capabilities = ["create", "update"] }
path "transit/sign/assertion-identity" { capabilities = ["create", "update"] }
path "transit/keys/+" { capabilities = ["read"] }
path "transit/encrypt/+" { capabilities = ["update"] }
path "transit/decrypt/+" { capabilities = ["update"] }
path "database/creds/identity" { capabilities = ["read"] }
path "database/creds/keyring-identity" { capabilities = ["read"] }
path "secret/data/careline/nats/identity" { capabilities = ["read"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
