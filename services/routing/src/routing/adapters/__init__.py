"""gRPC in front, NATS behind."""
