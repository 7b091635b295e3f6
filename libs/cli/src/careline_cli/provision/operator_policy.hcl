# A person who runs the platform: signs as an operator, reads public keys, also those that archives are verified
# with, and nothing else.
path "transit/sign/token-operator" { capabilities = ["create", "update"] }
path "transit/keys/token-operator" { capabilities = ["read"] }
path "transit/keys/archive-*" { capabilities = ["read"] }
