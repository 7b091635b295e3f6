"""Which of the libraries' errors mean a reason that callers can act on."""

from typing import Final

import grpc
from eventstore.errors import (
    DurabilityUnavailable,
    EventIdReused,
    LogUnavailable,
    NotYetReplicated,
    OutcomeUnknown,
    Overloaded,
    RevisionConflict,
)
from eventstore.execute import ConflictPersists
from eventstore.projection_progress import ProjectionBehind
from sealing.keyring.errors import KeyringUnavailable, SubjectErased
from sqlalchemy import exc

from runtime.database.errors import DatabaseUnavailable
from runtime.tokens.caller_assertion import AssertionInvalid
from runtime.tokens.jwt import JwtExpired, JwtInvalid
from runtime.tokens.public_keys import SigningKeysUnavailable
from runtime.vault.errors import SignInRefused, VaultUnavailable

_REASONS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (RevisionConflict, "ETAG_STALE"),
    (ConflictPersists, "CONFLICT"),
    (EventIdReused, "REQUEST_ID_REUSED"),
    (Overloaded, "OVERLOADED"),
    (DurabilityUnavailable, "DEPENDENCY_UNAVAILABLE"),
    (NotYetReplicated, "DEPENDENCY_UNAVAILABLE"),
    (LogUnavailable, "DEPENDENCY_UNAVAILABLE"),
    (OutcomeUnknown, "DEPENDENCY_UNAVAILABLE"),
    (ProjectionBehind, "DEPENDENCY_UNAVAILABLE"),
    (SubjectErased, "PATIENT_ERASED"),
    (KeyringUnavailable, "DEPENDENCY_UNAVAILABLE"),
    (DatabaseUnavailable, "DEPENDENCY_UNAVAILABLE"),
    (exc.TimeoutError, "OVERLOADED"),
    (exc.OperationalError, "DEPENDENCY_UNAVAILABLE"),
    (exc.InterfaceError, "DEPENDENCY_UNAVAILABLE"),
    (SignInRefused, "DEPENDENCY_UNAVAILABLE"),
    (SigningKeysUnavailable, "DEPENDENCY_UNAVAILABLE"),
    (AssertionInvalid, "ASSERTION_INVALID"),
    (JwtExpired, "TOKEN_EXPIRED"),
    (JwtInvalid, "TOKEN_INVALID"),
    (TimeoutError, "DEPENDENCY_UNAVAILABLE"),
)
_AWAY: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
    }
)


def reason_of_foreign(error: BaseException) -> str | None:
    """Give the reason that an error of a library means, None when it means a fault of ours."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    # Its other members mean that the policy, a key or the data is wrong, which no retry mends.
    if type(error) is VaultUnavailable:
        return "DEPENDENCY_UNAVAILABLE"
    if isinstance(error, grpc.aio.AioRpcError) and error.code() in _AWAY:
        return "DEPENDENCY_UNAVAILABLE"
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return "DEPENDENCY_UNAVAILABLE"
    return None
