# What patient_context may ask of Vault. Its keyring login may erase; no other service's may.
path "transit/sign/token-patient_context" { capabilities = ["create", "update"] }
path "transit/sign/archive-patient_context" { capabilities = ["create", "update"] }
path "transit/keys/+" { capabilities = ["read"] }
path "transit/encrypt/+" { capabilities = ["update"] }
path "transit/decrypt/+" { capabilities = ["create", "update"] }
path "database/creds/patient_context" { capabilities = ["read"] }
path "database/creds/keyring-patient_context" { capabilities = ["read"] }
path "secret/data/careline/nats/patient_context" { capabilities = ["read"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
