"""A session: two factors open it, refreshing keeps it, and it ends for good."""

from datetime import UTC, datetime, timedelta

import pytest
from eventstore.decider import Rejected
from identity.domain import session as domain
from identity.domain.session import End, Session, SessionPolicy, Status

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = SessionPolicy()
AGENT = "agents/018f0000-0000-7000-8000-000000000001"


def after(session: Session, events: list[domain.Event]) -> Session:
    return domain.DECIDER.fold(session, events)


def pending() -> Session:
    return after(Session(), domain.start(Session(), agent=AGENT, at=AT, policy=POLICY))


def opened() -> Session:
    return after(pending(), domain.authenticate(pending(), at=AT, policy=POLICY))


def refresh(
    session: Session, presented: int, at: datetime, *, active_agent: bool = True
) -> Session:
    return after(
        session,
        domain.refresh(
            session, presented=presented, active_agent=active_agent, at=at, policy=POLICY
        ),
    )


def test_the_second_factor_must_come_in_time() -> None:
    with pytest.raises(Rejected, match="SESSION_ENDED"):
        domain.authenticate(pending(), at=AT + POLICY.factor_wait, policy=POLICY)


def test_the_second_factor_counts_once() -> None:
    with pytest.raises(Rejected, match="SESSION_ENDED"):
        domain.authenticate(opened(), at=AT, policy=POLICY)


def test_a_pending_session_can_not_be_refreshed() -> None:
    with pytest.raises(Rejected, match="SESSION_ENDED"):
        refresh(pending(), 0, AT)


def test_each_refresh_token_counts_once_in_turn() -> None:
    session = refresh(opened(), 0, AT)

    assert session.refreshes == 1
    assert refresh(session, 1, AT).status is Status.OPEN


def test_a_refresh_token_that_comes_back_ends_the_session() -> None:
    session = refresh(opened(), 0, AT)

    events = domain.refresh(session, presented=0, active_agent=True, at=AT, policy=POLICY)

    assert [event.reason for event in events if hasattr(event, "reason")] == [End.REPLAYED]
    with pytest.raises(Rejected, match="SESSION_ENDED"):
        refresh(after(session, events), 1, AT)


def test_fifteen_idle_minutes_end_it() -> None:
    just_in_time = refresh(opened(), 0, AT + timedelta(minutes=14, seconds=59))

    assert just_in_time.status is Status.OPEN
    assert refresh(opened(), 0, AT + timedelta(minutes=15)).status is Status.ENDED


def test_twelve_hours_end_it_however_active_it_is() -> None:
    session, at, count = opened(), AT, 0
    while session.status is Status.OPEN:
        at += timedelta(minutes=10)
        session = refresh(session, count, at)
        count += 1

    assert at == AT + timedelta(hours=12)


def test_a_suspended_agents_session_ends_at_its_next_refresh() -> None:
    assert refresh(opened(), 0, AT, active_agent=False).status is Status.ENDED


def test_ends_once() -> None:
    ended = after(opened(), domain.end(opened(), reason=End.SIGNED_OUT, at=AT))

    assert domain.end(ended, reason=End.SIGNED_OUT, at=AT) == []
    assert domain.end(Session(), reason=End.SIGNED_OUT, at=AT) == []


def test_starts_once() -> None:
    with pytest.raises(Rejected, match="CONFLICT"):
        domain.start(pending(), agent=AGENT, at=AT, policy=POLICY)
