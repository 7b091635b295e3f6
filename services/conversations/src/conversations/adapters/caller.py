"""Who calls."""

from runtime.principal import Principal
from runtime.refusal import Refused
from runtime.request_context import current_request


def caller() -> Principal:
    """Give the calling principal; policies let nobody without one get here."""
    principal = current_request().principal
    if principal is None:
        raise Refused("DENIED_OR_ABSENT")
    return principal
