"""Contracts are made and ended, NATS is kept as they say, and events are forwarded by them."""
