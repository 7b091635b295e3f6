"""A service account: created, given tokens, locked out, disabled."""

from datetime import UTC, datetime, timedelta

import pytest
from eventstore.decider import Rejected
from identity.domain import service_account as domain
from identity.domain.lockout import LockoutPolicy
from identity.domain.service_account import ServiceAccount

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = LockoutPolicy()


def after(account: ServiceAccount, events: list[domain.Event]) -> ServiceAccount:
    return domain.DECIDER.fold(account, events)


def created() -> ServiceAccount:
    return after(
        ServiceAccount(),
        domain.create(ServiceAccount(), display_name="web chat", channels=["CHAT", "CHAT"]),
    )


def present(account: ServiceAccount, *, right: bool, at: datetime = AT) -> ServiceAccount:
    return after(
        account,
        domain.issue_token(account, right=right, token_id="t", expires=AT, at=at, policy=POLICY),
    )


def test_is_created_once_with_its_channels() -> None:
    assert created().channels == ("CHAT",)
    with pytest.raises(Rejected, match="CONFLICT"):
        domain.create(created(), display_name="again", channels=["SMS"])


def test_five_wrong_secrets_lock_out_a_right_one() -> None:
    account = created()
    for _ in range(5):
        account = present(account, right=False)

    with pytest.raises(Rejected, match="SIGN_IN_REFUSED"):
        present(account, right=True)
    assert present(account, right=True, at=AT + timedelta(minutes=15)).secret.lockouts == 0


def test_a_token_resets_the_count() -> None:
    account = created()
    for _ in range(4):
        account = present(account, right=False)

    assert present(account, right=True).secret.failures == 0


def test_disabled_and_absent_ones_are_refused_alike() -> None:
    disabled = after(created(), domain.disable(created(), "RETIRED"))

    for account in (disabled, ServiceAccount()):
        with pytest.raises(Rejected, match="SIGN_IN_REFUSED"):
            present(account, right=True)
    assert domain.disable(disabled, "RETIRED") == []
    with pytest.raises(Rejected, match="DENIED_OR_ABSENT"):
        domain.disable(ServiceAccount(), "RETIRED")
