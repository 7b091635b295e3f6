"""What became of a message is told once, by its own frontend, also after the end."""

import pytest
from careline.conversations.events.v1.events_pb2 import DeliveryReported
from conversations.domain import delivery
from conversations.domain.conversation import Conversation, DeliveryStatus
from conversations.domain.delivery import FailureCode
from unit.conversations.given import (
    AT,
    CHAT_FRONTEND,
    SMS_FRONTEND,
    Command,
    after,
    bot_wrote,
    closed,
    full,
    refusal,
    started,
)

SAID = after(started(), bot_wrote())
QUEUED, SENT, DELIVERED, FAILED = DeliveryStatus


def reported(
    status: DeliveryStatus, frontend: str = SMS_FRONTEND, name: str = "deliveries/bot"
) -> Command:
    return lambda state: delivery.report(
        state,
        delivery=name,
        frontend=frontend,
        status=status,
        failure_code=FailureCode.UNREACHABLE if status is FAILED else None,
        at=AT,
    )


def expired(name: str = "deliveries/bot") -> Command:
    return lambda state: delivery.expire(state, delivery=name, at=AT)


def in_status(status: DeliveryStatus) -> Conversation:
    return SAID if status is QUEUED else after(reported(status), state=SAID)


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (QUEUED, SENT),
        (QUEUED, DELIVERED),
        (QUEUED, FAILED),
        (SENT, DELIVERED),
        (SENT, FAILED),
    ],
)
def test_a_delivery_goes_forward(before: DeliveryStatus, told: DeliveryStatus) -> None:
    state = after(reported(told), state=in_status(before))

    assert state.deliveries["deliveries/bot"].status is told


@pytest.mark.parametrize(
    ("before", "told"),
    [(SENT, SENT), (DELIVERED, DELIVERED), (FAILED, FAILED), (DELIVERED, SENT), (FAILED, SENT)],
)
def test_what_is_known_or_overtaken_is_no_event(
    before: DeliveryStatus, told: DeliveryStatus
) -> None:
    assert reported(told)(in_status(before)) == []


@pytest.mark.parametrize(("before", "told"), [(DELIVERED, FAILED), (FAILED, DELIVERED)])
def test_an_end_is_not_taken_back(before: DeliveryStatus, told: DeliveryStatus) -> None:
    refused = refusal(reported(told), in_status(before))

    assert (refused.reason, refused.metadata) == ("CONVERSATION_STATE", {"delivery": before})


def test_a_failure_tells_why() -> None:
    (event,) = reported(FAILED)(SAID)

    assert isinstance(event, DeliveryReported)
    assert event.failure_code == "UNREACHABLE"


def test_only_its_own_frontend_tells() -> None:
    assert refusal(reported(SENT, CHAT_FRONTEND), SAID).reason == "DENIED_OR_ABSENT"
    assert refusal(reported(SENT, name="deliveries/none"), SAID).reason == "DENIED_OR_ABSENT"


def test_reports_are_taken_of_a_conversation_that_is_closed_or_full() -> None:
    over = after(closed(), state=SAID)

    assert len(reported(SENT)(over)) == 1
    assert len(reported(SENT)(full(SAID))) == 1


def test_a_message_that_nobody_took_expires() -> None:
    (event,) = expired()(SAID)

    assert isinstance(event, DeliveryReported)
    assert (event.status, event.failure_code) == ("FAILED", "EXPIRED")


def test_a_message_that_was_taken_does_not_expire() -> None:
    assert expired()(in_status(SENT)) == []
    assert expired()(after(expired(), state=SAID)) == []
    assert expired("deliveries/none")(SAID) == []
