"""How identity meets gRPC, PostgreSQL, Vault and other services."""
