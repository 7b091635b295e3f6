# Who starts the platform's services: hands out their role ids and single-use secret ids and reads NATS's
# operator. May neither change a policy, nor sign as anybody, nor open a tenant's key.
path "auth/approle/role/+/role-id" { capabilities = ["read"] }
path "auth/approle/role/+/secret-id" { capabilities = ["create", "update"] }
path "secret/data/careline/nats/operator" { capabilities = ["read"] }
path "secret/data/careline/provisioned" { capabilities = ["read"] }
