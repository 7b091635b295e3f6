"""The contact that `careline demo` plays, through the public gRPC APIs and nothing else."""
