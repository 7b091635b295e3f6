# What federation may ask of Vault.
path "transit/sign/token-federation" { capabilities = ["create", "update"] }
path "transit/sign/archive-federation" { capabilities = ["create", "update"] }
path "transit/keys/+" { capabilities = ["read"] }
path "transit/encrypt/+" { capabilities = ["update"] }
path "transit/decrypt/+" { capabilities = ["create", "update"] }
path "database/creds/federation" { capabilities = ["read"] }
path "database/creds/keyring-federation" { capabilities = ["read"] }
path "secret/data/careline/nats/federation" { capabilities = ["read"] }
# A partner's account exists once the operator's key has signed it, and PLATFORM's exports to it are signed anew
# with it. Federation is the one service that does so at run time, hence the one that reads the operator's seeds.
# Whoever reads them can make any NATS user: signing inside Vault (Transit ed25519) is to take their place.
path "secret/data/careline/nats/operator" { capabilities = ["read"] }
# The keys of the partners' accounts, by tenant and partner key; made once, never changed, never listed.
path "secret/data/careline/nats/partners/+/+" { capabilities = ["create", "read", "update"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
