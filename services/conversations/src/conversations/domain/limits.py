"""What bounds a conversation, and the states in which it takes more."""

from typing import Final

from eventstore.decider import Rejected

from conversations.domain.conversation import Conversation, Status

MOST_EVENTS: Final = 10_000
_KEPT_FOR_THE_END: Final = 2
"""A full conversation can still be wrapped up and closed."""


def require_open(state: Conversation, events: int = 0) -> None:
    """Refuse unless the conversation goes on and has room for so many more events."""
    if state.status is not Status.OPEN:
        raise Rejected("CONVERSATION_STATE", state=state.status)
    if not has_room(state, events):
        raise Rejected("CONVERSATION_STATE", state="full")


def has_room(state: Conversation, events: int) -> bool:
    return state.committed + events <= MOST_EVENTS - _KEPT_FOR_THE_END
