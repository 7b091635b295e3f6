"""gRPC in front; NATS, Vault and PostgreSQL behind."""
