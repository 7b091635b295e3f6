"""What a request to post means, by who calls and who speaks."""

from careline.conversations.v1.conversation_service_pb2 import PostMessageRequest
from runtime.principal import Principal, PrincipalKind
from runtime.refusal import field_invalid

from conversations.adapters import api_words, fields
from conversations.application.commands import Command
from conversations.domain import message
from conversations.domain.conversation import AuthorKind


def posting(request: PostMessageRequest, principal: Principal) -> Command:
    """Give the command; frontends speak for the person and the bot, agents for themselves."""
    author = api_words.author_kind(request.author_kind, "author_kind")
    channel = api_words.channel_if_set(request.channel)
    said = fields.text(request.text, "text")
    name = principal.name
    is_agent = principal.kind is PrincipalKind.AGENT
    match author:
        case AuthorKind.AGENT if is_agent:
            return lambda state, occasion: message.send_as_agent(
                state,
                message=occasion.name("messages"),
                delivery=occasion.name("deliveries"),
                agent=name,
                channel=channel,
                text=said,
                at=occasion.at,
            )
        case AuthorKind.BOT if not is_agent:
            return lambda state, occasion: message.send_as_bot(
                state,
                message=occasion.name("messages"),
                delivery=occasion.name("deliveries"),
                frontend=name,
                channel=channel,
                text=said,
                at=occasion.at,
            )
        case AuthorKind.PATIENT if not is_agent:
            if channel is None:
                raise field_invalid("channel", "the channel that the message came by")
            return lambda state, occasion: message.take_in(
                state,
                message=occasion.name("messages"),
                frontend=name,
                channel=channel,
                text=said,
                at=occasion.at,
            )
        case _:
            raise field_invalid(
                "author_kind", "PATIENT or BOT from a frontend, AGENT from an agent"
            )
