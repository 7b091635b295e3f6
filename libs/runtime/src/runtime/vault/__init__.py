"""A workload's session with Vault (or OpenBao): sign-in, secrets, keys, database logins."""
