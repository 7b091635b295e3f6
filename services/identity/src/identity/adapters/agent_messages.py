"""AgentService's messages: read with suspicion, written from what the use cases give."""

import base64
from typing import Final
from urllib.parse import quote, urlencode

from careline.identity.v1 import agent_service_pb2 as pb2
from eventstore.decider import Rejected
from google.protobuf.message import Message
from runtime.refusal import Refused

from identity.application.agent_account import AgentView, Enrolment
from identity.application.session_tokens import SessionToken, TokenKind, read_token
from identity.application.sessions import Tokens
from identity.domain.totp import DIGITS, STEP_SECONDS

_LONGEST_TOKEN: Final = 256


def presented_token(text: str, kind: TokenKind, refusal: str) -> SessionToken:
    token = read_token(text, kind) if len(text) <= _LONGEST_TOKEN else None
    if token is None:
        raise Rejected(refusal)
    return token


def without_password(request: Message, tag: bytes) -> Message:
    """Copy a request with what its password hashes to in place of the password.

    A request's digest is a fast hash: of the password itself, it would undo the slow one.
    """
    copy = type(request)()
    copy.CopyFrom(request)
    copy.password = tag.hex()  # type: ignore[attr-defined]  # both requests that come here have it
    return copy


def position_in(place: list[str] | None) -> int:
    if place is None:
        return 0
    if not place[0].isdecimal() or len(place[0]) > len(str(2**63)):
        raise Refused("PAGE_TOKEN_INVALID")
    return int(place[0])


def agent_message(view: AgentView) -> pb2.Agent:
    agent = pb2.Agent(
        name=view.name,
        user_name=view.user_name,
        display_name=view.display_name,
        roles=view.roles,
        state=pb2.Agent.STATE_SUSPENDED if view.suspended else pb2.Agent.STATE_ACTIVE,
        etag=str(view.revision),
    )
    agent.create_time.FromDatetime(view.created)
    return agent


def tokens_message(tokens: Tokens) -> pb2.TokenSet:
    message = pb2.TokenSet(access_token=tokens.access.text, refresh_token=tokens.refresh)
    message.access_expire_time.FromDatetime(tokens.access.expires)
    message.session_expire_time.FromDatetime(tokens.session_expires)
    return message


def otpauth_uri(enrolment: Enrolment) -> str:
    """Write what authenticator apps read (the Key Uri Format of Google Authenticator)."""
    query = urlencode(
        {
            "secret": base64.b32encode(enrolment.seed).decode(),
            "issuer": "Careline",
            "algorithm": "SHA1",
            "digits": DIGITS,
            "period": STEP_SECONDS,
        }
    )
    return f"otpauth://totp/Careline:{quote(enrolment.user_name)}?{query}"
