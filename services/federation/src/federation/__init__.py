"""Partner contracts, NATS accounts and what each partner receives."""
