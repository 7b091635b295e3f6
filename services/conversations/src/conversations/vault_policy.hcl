# What conversations may ask of Vault.

# Its own token, with which it reads routing's log, and everybody's public keys.
path "transit/sign/token-conversations" { capabilities = ["create", "update"] }
path "transit/keys/token-*" { capabilities = ["read"] }
path "transit/keys/assertion-identity" { capabilities = ["read"] }

# Signs its log's archive.
path "transit/sign/archive-conversations" { capabilities = ["create", "update"] }
path "transit/keys/archive-conversations" { capabilities = ["read"] }

# The keyring's tenant keys.
path "transit/encrypt/tenant-*" { capabilities = ["update"] }
path "transit/decrypt/tenant-*" { capabilities = ["create", "update"] }

# Its logins to both databases, and its NATS user.
path "database/creds/conversations" { capabilities = ["read"] }
path "database/creds/keyring-conversations" { capabilities = ["read"] }
path "secret/data/careline/nats/conversations" { capabilities = ["read"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
