"""Says in one line why work failed, without values: for the status, for logs, for alerts."""

import nats.errors
from eventstore.errors import EventLogError
from eventstore.postgres.server_errors import SERVER_ERRORS
from sqlalchemy.exc import SQLAlchemyError

from messaging.denials import PermissionDenied
from messaging.lease import LeaseLost
from messaging.stuck import Reason, Stuck


def stuck_by(error: Exception) -> Stuck:
    """Return what holds the work up, judged by the error that ended its last try."""
    if isinstance(error, Stuck):
        return error
    if isinstance(error, PermissionDenied):
        return Stuck(Reason.PERMISSION_DENIED, error.subject)
    if isinstance(error, nats.errors.Error):
        return Stuck(Reason.NATS_AWAY, type(error).__name__)
    if isinstance(error, (EventLogError, LeaseLost, SQLAlchemyError, *SERVER_ERRORS)):
        return Stuck(Reason.DATABASE_AWAY, type(error).__name__)
    return Stuck(Reason.FAILED, type(error).__name__)
