"""The services that Careline is made of."""

from typing import Final, Literal, get_args

ServiceName = Literal[
    "identity", "conversations", "routing", "patient_context", "audit", "federation"
]
SERVICES: Final[tuple[str, ...]] = get_args(ServiceName)
