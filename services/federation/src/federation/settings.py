"""What federation is told, and whose events it consumes."""

from typing import Final, Literal

from messaging.names import Consumption
from pydantic import Field
from runtime.secret_reference import VaultPath
from runtime.settings import ServiceSettings

CONVERSATIONS: Final = Consumption("federation", "conversations", "partners")
CONSUMES: Final[tuple[Consumption, ...]] = (CONVERSATIONS,)


class FederationSettings(ServiceSettings):
    service_name: Literal["federation"] = Field("federation", description="federation, or nothing")
    nats_operator_seeds: VaultPath = Field(
        VaultPath("secret", "careline/nats/operator", "seeds"),
        description='the Vault secret with the seeds of the NATS operator, as "secret/name#field"',
    )
