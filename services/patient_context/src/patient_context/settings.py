"""What patient_context is told, and whose events it consumes."""

from typing import Final, Literal

from messaging.names import Consumption
from pydantic import Field
from runtime.settings import ServiceSettings

CONSUMES: Final[tuple[Consumption, ...]] = ()


class PatientContextSettings(ServiceSettings):
    service_name: Literal["patient_context"] = Field(
        "patient_context", description="patient_context, or nothing"
    )
    spill_directory: str = Field(
        "/tmp",  # noqa: S108  the file made there has no name and is encrypted
        pattern=r"^/",
        description="the absolute path of a writable directory for exports larger than memory",
    )
    spill_in_memory_bytes: int = Field(
        33_554_432,
        ge=65_536,
        le=1_073_741_824,
        description="a whole number from 65536 to 1073741824: an export's bytes kept in memory",
    )
    spill_bytes: int = Field(
        1_073_741_824,
        ge=1_048_576,
        le=68_719_476_736,
        description="a whole number from 1048576 to 68719476736: the most that an export may hold",
    )
    concurrent_ingests: int = Field(
        4, ge=1, le=64, description="a whole number from 1 to 64: more wait for their turn"
    )
    unfinished_erasure_seconds: float = Field(
        10,
        gt=0,
        le=3600,
        description="seconds above 0 up to 3600 between looks for unfinished erasures",
    )
