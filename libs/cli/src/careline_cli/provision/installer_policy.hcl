# Who brings Vault up to what a new version of the platform needs: makes what provisioning makes, may neither
# sign as anybody nor open a tenant's key. Its policies could be widened by itself, so its secret id is used
# when a version changes and for nothing else.
path "sys/mounts" { capabilities = ["read"] }
path "sys/mounts/*" { capabilities = ["create", "update", "read"] }
path "sys/auth" { capabilities = ["read"] }
path "sys/auth/*" { capabilities = ["create", "update", "read", "sudo"] }
path "sys/policy/*" { capabilities = ["create", "update", "read"] }
path "auth/approle/role/*" { capabilities = ["create", "update", "read"] }
path "transit/keys/*" { capabilities = ["create", "update", "read"] }
path "database/config/*" { capabilities = ["create", "update", "read"] }
path "database/rotate-root/*" { capabilities = ["create", "update"] }
path "database/roles/*" { capabilities = ["create", "update", "read"] }
path "secret/data/careline/*" { capabilities = ["create", "update", "read"] }
