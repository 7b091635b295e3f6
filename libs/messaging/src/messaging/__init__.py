"""Relay from a log to JetStream, durable consumers, dead letters, NATS accounts."""
