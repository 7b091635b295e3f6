"""gRPC in front, SQL and NATS behind."""
