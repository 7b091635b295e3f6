"""What a caller is to a conversation, in the words that policies use."""

from eventstore.decider import Rejected
from runtime.access import Access, Decision, Resource
from runtime.principal import Principal
from runtime.request_context import current_request

from conversations.domain.conversation import Conversation, Status


def relations(state: Conversation, principal: Principal | None) -> list[str]:
    """List "serves" for a frontend of it, "holds" and "held" for agents and their control."""
    name = principal.name if principal else ""
    words = {
        "serves": state.is_served_by(name),
        "holds": name in state.agents and state.control.holder == name,
        "held": name in state.agents,
    }
    return [word for word, holds in words.items() if holds]


def require_access(access: Access, name: str, state: Conversation) -> Decision:
    """Decide for the current request on this conversation.

    Raises Rejected, as a domain would: on a state that is kept, not fresh, the executor looks
    again before that is the answer. It is the same for a conversation that is none.
    """
    request = current_request()
    about = Resource("Conversation", name, {"relations": relations(state, request.principal)})
    decision = access.decide(request.action, about)
    if state.status is Status.NEW or not decision.allowed:
        raise Rejected("DENIED_OR_ABSENT")
    return decision
