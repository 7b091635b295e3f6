from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from careline.federation.events.v1 import events_pb2
from eventstore.decider import Rejected
from federation.domain import contract
from federation.domain.contract import MOST_USERS, Contract, ContractEvent
from google.protobuf.timestamp_pb2 import Timestamp
from sealing.sensitivity import paths_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POSTED = "careline.conversations.events.v1.MessagePosted"
Step = Callable[[Contract], Sequence[ContractEvent]]


def at(hours: float = 0) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(NOON + timedelta(hours=hours))
    return stamp


def after(*steps: Step) -> Contract:
    state = Contract()
    for step in steps:
        for event in step(state):
            state = contract.evolve(state, event)
    return state


def created(state: Contract) -> Sequence[ContractEvent]:
    return contract.create(
        state,
        partner_key="acme",
        display_name="Acme",
        event_types=frozenset({POSTED}),
        account="A1",
        at=at(),
    )


def issued(user: str, *, hours: float = 0, until: float = 24) -> Step:
    return lambda state: contract.issue(state, user=user, expires=at(until), at=at(hours))


def revoked(user: str) -> Step:
    return lambda state: contract.revoke(state, user=user, at=at(1))


def suspended(state: Contract) -> Sequence[ContractEvent]:
    return contract.suspend(state, reason="INCIDENT", at=at(2))


def test_a_contract_is_active_from_its_creation_to_its_suspension() -> None:
    assert not Contract().is_active
    assert after(created).is_active
    assert not after(created, suspended).is_active


def test_a_contract_is_made_once() -> None:
    with pytest.raises(Rejected) as refused:
        created(after(created))
    assert refused.value.reason == "NAME_TAKEN"


def test_a_revoked_user_stays_revoked_as_long_as_his_credentials_would_hold() -> None:
    state = after(created, issued("U1"), revoked("U1"))
    assert state.revocations == {"U1": NOON + timedelta(hours=24)}
    assert after(created, issued("U1"), revoked("U1"), issued("U2", hours=23)).revocations
    assert not after(
        created, issued("U1"), revoked("U1"), issued("U2", hours=25, until=48)
    ).revocations


def test_what_is_so_already_gives_no_event() -> None:
    state = after(created, issued("U1"), revoked("U1"), suspended)
    assert issued("U1")(state) == []
    assert revoked("U1")(state) == []
    assert suspended(state) == []


def test_a_suspended_partner_gets_no_credentials() -> None:
    with pytest.raises(Rejected) as refused:
        issued("U1")(after(created, suspended))
    assert refused.value.reason == "PARTNER_SUSPENDED"


@pytest.mark.parametrize("step", [issued("U1"), revoked("U1"), suspended])
def test_nothing_can_be_done_to_a_contract_that_is_not_there(step: Step) -> None:
    with pytest.raises(Rejected) as refused:
        step(Contract())
    assert refused.value.reason == "DENIED_OR_ABSENT"


def test_a_user_of_nobody_can_not_be_revoked() -> None:
    with pytest.raises(Rejected) as refused:
        revoked("U2")(after(created, issued("U1")))
    assert refused.value.reason == "DENIED_OR_ABSENT"


def test_a_partner_has_a_limited_number_of_users_at_a_time() -> None:
    full = after(created, *(issued(f"U{number}") for number in range(MOST_USERS)))
    with pytest.raises(Rejected) as refused:
        issued("one more")(full)
    assert refused.value.reason == "PARTNER_STATE"
    assert issued("a day later", hours=24, until=48)(full)


def test_no_event_of_federation_holds_anything_sensitive() -> None:
    for descriptor in events_pb2.DESCRIPTOR.message_types_by_name.values():
        assert paths_of(descriptor) == ()
