# Who takes snapshots of Vault: reads all of it, sealed under the barrier's key, and nothing in clear.
path "sys/storage/raft/snapshot" { capabilities = ["read"] }
