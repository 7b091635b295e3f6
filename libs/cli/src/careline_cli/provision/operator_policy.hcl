# A person who runs the platform: signs as an operator, reads public keys, and nothing else.
path "transit/sign/token-operator" { capabilities = ["create", "update"] }
path "transit/keys/token-operator" { capabilities = ["read"] }
