"""The careline command."""

import os

# Read by gRPC's core when it is first imported: its own chatter is not for the command's users.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
