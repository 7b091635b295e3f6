"""What a platform needs to find in PostgreSQL, Vault and NATS before its services start."""
