from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from eventstore.decider import Rejected
from google.protobuf.timestamp_pb2 import Timestamp
from routing.domain import agent, contact
from routing.domain.agent import Activity, Agent, AgentEvent, Availability
from routing.domain.board import Board
from routing.domain.contact import Contact, ContactEvent, ContactState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUEUE = "queues/appointments"


def at(second: int = 0) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(NOON + timedelta(seconds=second))
    return stamp


def after_contact(*steps: Callable[[Contact], Sequence[ContactEvent]]) -> Contact:
    state = Contact()
    for step in steps:
        for event in step(state):
            state = contact.evolve(state, event)
    return state


def after_agent(*steps: Callable[[Agent], Sequence[AgentEvent]]) -> Agent:
    state = Agent()
    for step in steps:
        for event in step(state):
            state = agent.evolve(state, event)
    return state


def enqueued(state: Contact) -> Sequence[ContactEvent]:
    return contact.enqueue(state, conversation="conversations/1", queue=QUEUE, priority=0, at=at())


def offered(state: Contact) -> Sequence[ContactEvent]:
    return contact.offer(
        state, offer="offers/1", agent="agents/1", until=at(20), explanation="", at=at()
    )


def accepted(state: Contact) -> Sequence[ContactEvent]:
    return contact.accept(state, offer="offers/1", agent="agents/1", at=at(5))


def timed_out(state: Contact) -> Sequence[ContactEvent]:
    return contact.time_out(state, offer="offers/1", at=at(20))


def available(state: Agent) -> Sequence[AgentEvent]:
    return agent.set_availability(
        state, availability=Availability.AVAILABLE, queues=frozenset({QUEUE}), at=at()
    )


def reserved(state: Agent) -> Sequence[AgentEvent]:
    return agent.reserve(state, offer="offers/1", contact="contacts/1", queue=QUEUE)


def test_an_accepted_offer_assigns_the_contact() -> None:
    assert after_contact(enqueued, offered, accepted).state is ContactState.ASSIGNED


def test_accepting_twice_is_accepting_once() -> None:
    state = after_contact(enqueued, offered, accepted)

    assert contact.accept(state, offer="offers/1", agent="agents/1", at=at(9)) == []


@pytest.mark.parametrize(("offer", "who"), [("offers/2", "agents/1"), ("offers/1", "agents/2")])
def test_an_offer_is_the_asked_agents_alone(offer: str, who: str) -> None:
    state = after_contact(enqueued, offered)

    with pytest.raises(Rejected, match="OFFER_GONE"):
        contact.accept(state, offer=offer, agent=who, at=at())


def test_an_offer_that_timed_out_can_not_be_accepted() -> None:
    state = after_contact(enqueued, offered, timed_out)

    assert state.state is ContactState.QUEUED
    with pytest.raises(Rejected, match="OFFER_GONE"):
        accepted(state)


def test_a_timer_that_comes_after_the_answer_changes_nothing() -> None:
    assert timed_out(after_contact(enqueued, offered, accepted)) == []


def test_a_contact_that_left_can_not_be_offered() -> None:
    state = after_contact(
        enqueued, lambda one: contact.leave(one, offer="", reason="ABANDONED", at=at(1))
    )

    with pytest.raises(Rejected, match="CONTACT_STATE"):
        offered(state)


def test_only_the_agent_who_works_a_contact_completes_it() -> None:
    state = after_contact(enqueued, offered, accepted)

    with pytest.raises(Rejected, match="DENIED_OR_ABSENT"):
        contact.complete(state, offer="offers/1", agent="agents/2", at=at())
    (event,) = contact.complete(state, offer="offers/1", agent="agents/1", at=at(60))
    assert contact.evolve(state, event).state is ContactState.COMPLETED


def test_an_agent_is_asked_one_thing_at_a_time() -> None:
    state = after_agent(available, reserved)

    assert state.activity is Activity.ASKED
    with pytest.raises(Rejected, match="AGENT_STATE"):
        agent.reserve(state, offer="offers/2", contact="contacts/2", queue=QUEUE)


def test_an_agent_who_misses_an_offer_is_away_until_he_says_otherwise() -> None:
    state = after_agent(
        available,
        reserved,
        lambda one: agent.release(one, offer="offers/1", reason="TIMED_OUT", at=at(20)),
    )

    assert (state.availability, state.activity) == (Availability.AWAY, Activity.IDLE)
    assert not agent.can_be_asked(state, QUEUE)
    again = after_agent(lambda _: [], lambda _: available(state))
    assert again.availability is Availability.AVAILABLE


def test_a_timer_that_comes_after_the_answer_leaves_the_agent_at_work() -> None:
    engaged = after_agent(available, reserved, lambda one: agent.engage(one, offer="offers/1"))

    assert agent.release(engaged, offer="offers/1", reason="TIMED_OUT", at=at(20)) == []
    (done,) = agent.release(engaged, offer="offers/1", reason="COMPLETED", at=at(60))
    assert agent.evolve(engaged, done).activity is Activity.IDLE


@pytest.mark.parametrize("seen", ["", "offers/0"])
def test_who_saw_another_offer_ends_nothing_for_its_agent_would_stay_asked(seen: str) -> None:
    state = after_contact(enqueued, offered)

    with pytest.raises(Rejected, match="CONFLICT"):
        contact.leave(state, offer=seen, reason="ABANDONED", at=at(1))
    with pytest.raises(Rejected, match="CONFLICT"):
        contact.complete(
            after_contact(enqueued, offered, accepted), offer=seen, agent="agents/1", at=at(60)
        )


def test_an_agent_who_declines_stays_available_and_goes_to_the_end_of_the_line() -> None:
    state = after_agent(
        available,
        reserved,
        lambda one: agent.release(one, offer="offers/1", reason="DECLINED", at=at(7)),
    )

    assert agent.can_be_asked(state, QUEUE)
    assert state.idle_since == NOON + timedelta(seconds=7)


def test_a_change_of_queues_does_not_send_an_idle_agent_to_the_end_of_the_line() -> None:
    state = after_agent(
        available,
        lambda one: agent.set_availability(
            one,
            availability=Availability.AVAILABLE,
            queues=frozenset({QUEUE, "queues/billing"}),
            at=at(30),
        ),
    )

    assert state.idle_since == NOON


def test_going_offline_leaves_an_open_contact_the_agents_own() -> None:
    state = after_agent(
        available,
        reserved,
        lambda one: agent.engage(one, offer="offers/1"),
        lambda one: agent.set_availability(
            one, availability=Availability.OFFLINE, queues=frozenset(), at=at(9)
        ),
    )

    assert (state.availability, state.contact) == (Availability.OFFLINE, "contacts/1")


def test_the_board_follows_a_contact_from_the_queue_to_the_agent_and_out() -> None:
    board = Board()
    state = Contact()
    places = []
    for step in (enqueued, offered, timed_out, offered, accepted):
        for event in step(state):
            state = contact.evolve(state, event)
            board.apply("contacts/1", event)
            places.append((board.place("contacts/1"), len(board.offers)))

    assert places == [(1, 0), (0, 1), (1, 0), (0, 1), (0, 0)]
    assert board.contact_of("conversations/1") == "contacts/1"
    for event in contact.complete(state, offer="offers/1", agent="agents/1", at=at(60)):
        board.apply("contacts/1", event)
    assert board.contact_of("conversations/1") is None


def test_the_board_knows_when_the_next_offer_lapses() -> None:
    board = Board()
    state = Contact()
    for step in (enqueued, offered):
        for event in step(state):
            state = contact.evolve(state, event)
            board.apply("contacts/1", event)

    assert board.next_deadline() == NOON + timedelta(seconds=20)
    assert not list(board.overdue(NOON + timedelta(seconds=19)))
    assert [one.offer for one in board.overdue(NOON + timedelta(seconds=20))] == ["offers/1"]
