from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from routing.domain.choice import Idle, Waiting, choose

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def waiting(contact: str, *, minute: int, priority: int = 0, queue: str = "queues/a") -> Waiting:
    return Waiting(contact, queue, priority, NOON + timedelta(minutes=minute))


def idle(agent: str, *, minute: int, queues: tuple[str, ...] = ("queues/a",)) -> Idle:
    return Idle(agent, frozenset(queues), NOON + timedelta(minutes=minute))


def pairs(contacts: list[Waiting], agents: list[Idle]) -> list[tuple[str, str]]:
    return [(one.contact.contact, one.agent.agent) for one in choose(contacts, agents)]


def test_the_longest_waiting_contact_gets_the_longest_idle_agent() -> None:
    contacts = [waiting("late", minute=2), waiting("early", minute=1)]
    agents = [idle("fresh", minute=2), idle("rested", minute=1)]

    assert pairs(contacts, agents) == [("early", "rested"), ("late", "fresh")]


def test_priority_beats_age() -> None:
    contacts = [waiting("old", minute=0), waiting("urgent", minute=9, priority=1)]

    assert pairs(contacts, [idle("only", minute=0)]) == [("urgent", "only")]


def test_an_agent_is_asked_for_his_own_queues_only() -> None:
    contacts = [waiting("billing", minute=0, queue="queues/b")]

    assert pairs(contacts, [idle("nurse", minute=0)]) == []


def test_a_contact_that_nobody_can_take_does_not_block_the_next() -> None:
    contacts = [waiting("stuck", minute=0, queue="queues/b"), waiting("next", minute=1)]

    assert pairs(contacts, [idle("nurse", minute=0)]) == [("next", "nurse")]


def test_who_declined_is_asked_again_only_when_nobody_else_is_left() -> None:
    declined = Waiting("c", "queues/a", 0, NOON, declined_by=frozenset({"tired"}))
    tired, other = idle("tired", minute=0), idle("other", minute=5)

    assert pairs([declined], [tired, other]) == [("c", "other")]
    assert pairs([declined], [tired]) == [("c", "tired")]


def test_every_choice_explains_itself() -> None:
    (choice,) = choose([waiting("c", minute=3, priority=2)], [idle("a", minute=1)])

    assert choice.explanation == (
        "priority 2, waiting since 12:03:00; longest idle of 1 able, since 12:01:00"
    )


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99), st.sampled_from("ab")), max_size=20),
    st.lists(st.tuples(st.integers(0, 99), st.sets(st.sampled_from("ab"))), max_size=20),
)
def test_nobody_is_chosen_twice_and_nobody_able_is_left_beside_a_waiting_contact(
    contacts: list[tuple[int, int, str]], agents: list[tuple[int, set[str]]]
) -> None:
    queue = [
        waiting(f"c{i}", minute=minute, priority=priority, queue=name)
        for i, (priority, minute, name) in enumerate(contacts)
    ]
    free = [idle(f"a{i}", minute=minute, queues=tuple(of)) for i, (minute, of) in enumerate(agents)]

    chosen = choose(queue, free)

    taken = {one.contact.contact for one in chosen}
    asked = {one.agent.agent for one in chosen}
    assert len(taken) == len(asked) == len(chosen)
    left = [one for one in free if one.agent not in asked]
    assert not any(
        one.queue in agent.queues for one in queue if one.contact not in taken for agent in left
    )
