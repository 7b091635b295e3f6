import asyncpg
import pytest
from eventstore.errors import LogUnavailable
from eventstore.postgres.server_errors import may_pass, nothing_happened, refused


@pytest.mark.parametrize(
    ("error", "surely_nothing", "worth_another_try"),
    [
        (asyncpg.DeadlockDetectedError("deadlock"), True, True),
        (asyncpg.LockNotAvailableError("lock timeout"), True, True),
        (asyncpg.SerializationError("serialization"), True, True),
        (asyncpg.QueryCanceledError("cancelled"), True, True),
        (asyncpg.DiskFullError("disk full"), True, False),
        (asyncpg.InsufficientPrivilegeError("denied"), True, False),
        (asyncpg.AdminShutdownError("terminated"), False, False),
        (asyncpg.CrashShutdownError("crashed"), False, False),
        (asyncpg.ConnectionDoesNotExistError("gone"), False, False),
        (asyncpg.InterfaceError("closed"), False, False),
        (asyncpg.InternalClientError("cannot switch to state"), False, False),
        (ConnectionResetError(), False, False),
        (TimeoutError(), False, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_an_error_says_about_its_statement(
    error: Exception, surely_nothing: bool, worth_another_try: bool
) -> None:
    assert nothing_happened(error) is surely_nothing
    assert may_pass(error) is worth_another_try


def test_a_refusal_names_the_state_and_not_the_servers_text() -> None:
    error = refused(asyncpg.DiskFullError("Jane Doe"))

    assert isinstance(error, LogUnavailable)
    assert "53100" in str(error)
    assert "Jane" not in str(error)
