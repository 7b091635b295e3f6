"""What audit is told, and whose events it consumes: everybody's but its own."""

from typing import Final, Literal

from messaging.names import Consumption
from pydantic import Field
from runtime.service_names import SERVICES
from runtime.settings import ServiceSettings

CONSUMES: Final = tuple(
    Consumption("audit", service, "trail") for service in SERVICES if service != "audit"
)


class AuditSettings(ServiceSettings):
    service_name: Literal["audit"] = Field("audit", description="audit, or nothing")
