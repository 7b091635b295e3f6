"""What routing is told, and whose events it consumes."""

from typing import Final, Literal

from messaging.names import Consumption
from pydantic import Field
from runtime.settings import ServiceSettings

CONVERSATIONS: Final = Consumption("routing", "conversations", "contacts")
CONSUMES: Final = (CONVERSATIONS,)


class RoutingSettings(ServiceSettings):
    service_name: Literal["routing"] = Field("routing", description="routing, or nothing")
    offer_heartbeat_seconds: float = Field(
        10, gt=0, le=60, description="seconds above 0 up to 60 between signs of life to agents"
    )
