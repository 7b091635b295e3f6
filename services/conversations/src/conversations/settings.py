"""What conversations is told, and whose events it consumes."""

from typing import Final, Literal

from messaging.names import Consumption
from pydantic import Field
from runtime.settings import ServiceSettings

ROUTING: Final = Consumption("conversations", "routing", "offers")
CONSUMES: Final = (ROUTING,)


class ConversationsSettings(ServiceSettings):
    service_name: Literal["conversations"] = Field(
        "conversations", description="conversations, or nothing"
    )
    watch_heartbeat_seconds: float = Field(
        10, gt=0, le=60, description="seconds above 0 up to 60 between signs of life to watchers"
    )
    disclosure_renewal_seconds: float = Field(
        900, gt=0, le=900, description="seconds above 0 up to 900 for which one disclosure counts"
    )
    delivery_lifetime_seconds: float = Field(
        86_400,
        gt=0,
        le=604_800,
        description="seconds above 0 up to 604800 that a message waits for its frontend",
    )
    expiry_interval_seconds: float = Field(
        15, gt=0, le=600, description="seconds above 0 up to 600 between looks for what has expired"
    )
