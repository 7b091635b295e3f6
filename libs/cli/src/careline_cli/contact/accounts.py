"""The demo's accounts: queue, channel frontend, partner and agent, made once by the operator."""

import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
from careline.conversations.events.v1.events_pb2 import (
    ControlPassed,
    ConversationClosed,
    ConversationStarted,
    ConversationWrappedUp,
)
from careline.federation.v1 import partner_service_pb2 as partner_pb2
from careline.identity.v1 import agent_service_pb2 as agent_pb2
from careline.identity.v1 import token_service_pb2 as token_pb2
from careline.routing.v1 import queue_service_pb2 as queue_pb2
from embedded import write_private

from careline_cli.command_error import CommandError
from careline_cli.contact.caller import CALL_SECONDS, Caller, new_request
from careline_cli.contact.stubs import Stubs
from careline_cli.tenant import DEMO_TENANT

QUEUE = "queues/appointments"
AGENT_ROLES = ("agent", "registrar")
CHANNELS = ("VOICE", "SMS", "CHAT")
PARTNER_EVENTS = tuple(
    event.DESCRIPTOR.full_name
    for event in (ConversationStarted, ControlPassed, ConversationWrappedUp, ConversationClosed)
)
RENEW_AT = 2 / 3
LEAST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class DemoAccounts:
    """Names and secrets of the demo's principals, kept in a file of mode 0600."""

    service_account: str
    secret: str = field(repr=False)
    partner: str
    agent: str
    user_name: str
    password: str = field(repr=False)
    totp_seed: str = field(repr=False)


def kept_accounts(file: Path) -> DemoAccounts | None:
    """Give what was kept, None before the first time."""
    try:
        return DemoAccounts(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None


def require_accounts(file: Path) -> DemoAccounts:
    """Give what was kept; raises CommandError before the first time."""
    accounts = kept_accounts(file)
    if accounts is None:
        raise CommandError("there are no demo accounts yet; start with: careline up")
    return accounts


async def demo_accounts(file: Path, stubs: Stubs, operator: Caller) -> DemoAccounts:
    """Give the accounts, made by public calls the first time."""
    kept = kept_accounts(file)
    if kept is not None:
        return kept
    await operator.call(
        stubs.queues.CreateQueue,
        queue_pb2.CreateQueueRequest(
            request_id=new_request(),
            queue=queue_pb2.Queue(name=QUEUE, display_name="Appointments"),
        ),
    )
    frontend = await operator.call(
        stubs.tokens.CreateServiceAccount,
        token_pb2.CreateServiceAccountRequest(
            request_id=new_request(),
            service_account=token_pb2.ServiceAccount(
                display_name="Demo channel frontend", channels=CHANNELS
            ),
        ),
    )
    partner = await operator.call(
        stubs.partners.CreateContract,
        partner_pb2.CreateContractRequest(
            request_id=new_request(),
            contract=partner_pb2.Contract(
                # A key of its own, for keys are taken for good.
                partner_key=f"demo{secrets.token_hex(4)}",
                display_name="Demo partner",
                event_types=PARTNER_EVENTS,
            ),
        ),
    )
    # A name of its own, should an earlier start have ended between these calls.
    user_name = f"demo-agent-{secrets.token_hex(4)}"
    password = secrets.token_urlsafe(18)
    agent = await operator.call(
        stubs.agents.CreateAgent,
        agent_pb2.CreateAgentRequest(
            request_id=new_request(),
            agent=agent_pb2.Agent(
                user_name=user_name, display_name="Demo Agent", roles=AGENT_ROLES
            ),
            password=password,
        ),
    )
    enrolled = await operator.call(
        stubs.agents.EnrollTotp,
        agent_pb2.EnrollTotpRequest(request_id=new_request(), agent=agent.agent.name),
    )
    accounts = DemoAccounts(
        service_account=frontend.service_account.name,
        secret=frontend.secret,
        partner=partner.contract.name,
        agent=agent.agent.name,
        user_name=user_name,
        password=password,
        totp_seed=parse_qs(urlsplit(enrolled.otpauth_uri).query)["secret"][0],
    )
    write_private(file, json.dumps(asdict(accounts)))
    return accounts


@dataclass(slots=True)
class Renewed:
    """A token, fetched again when a third of its life is left."""

    fetch: Callable[[], Awaitable[tuple[str, float]]]
    _text: str = ""
    _renew_at: float = 0.0

    async def token(self) -> str:
        if time.time() >= self._renew_at:
            self._text, expires = await self.fetch()
            self._renew_at = time.time() + (expires - time.time()) * RENEW_AT
        return self._text


def frontend_token(stubs: Stubs, accounts: DemoAccounts) -> Renewed:
    """Sign the frontend in as its service account."""

    async def fetch() -> tuple[str, float]:
        answer = await stubs.tokens.IssueServiceToken(
            token_pb2.IssueServiceTokenRequest(
                tenant=DEMO_TENANT,
                service_account=accounts.service_account,
                secret=accounts.secret,
            ),
            timeout=CALL_SECONDS,
        )
        return answer.access_token, answer.expire_time.ToSeconds()

    return Renewed(fetch)


def agent_token(stubs: Stubs, accounts: DemoAccounts, kept: Path) -> Renewed:
    """Sign the agent in with password and authenticator; later tokens come by refresh.

    The token is kept in a file of mode 0600 while it is good: an authenticator's code counts once,
    so that two commands within half a minute could not both sign in.
    """
    refresh: list[str] = []

    async def fetch() -> tuple[str, float]:
        if (good := _good(kept)) is not None:
            return good
        tokens = await (
            _refreshed(stubs, refresh.pop()) if refresh else _signed_in(stubs, accounts)
        )
        refresh.append(tokens.refresh_token)
        token = tokens.access_token, float(tokens.access_expire_time.ToSeconds())
        write_private(kept, json.dumps(token))
        return token

    return Renewed(fetch)


def _good(kept: Path) -> tuple[str, float] | None:
    """Give a kept token that is good for a while yet."""
    try:
        text, expires = json.loads(kept.read_text())
    except FileNotFoundError:
        return None
    return (text, expires) if expires - time.time() > LEAST_SECONDS else None


async def _signed_in(stubs: Stubs, accounts: DemoAccounts) -> agent_pb2.TokenSet:
    begun = await stubs.agents.SignIn(
        agent_pb2.SignInRequest(
            request_id=new_request(),
            tenant=DEMO_TENANT,
            user_name=accounts.user_name,
            password=accounts.password,
        ),
        timeout=CALL_SECONDS,
    )
    answer = await stubs.agents.VerifyFactor(
        agent_pb2.VerifyFactorRequest(
            request_id=new_request(),
            session_token=begun.session_token,
            totp_code=pyotp.TOTP(accounts.totp_seed).now(),
        ),
        timeout=CALL_SECONDS,
    )
    return answer.tokens


async def _refreshed(stubs: Stubs, token: str) -> agent_pb2.TokenSet:
    answer = await stubs.agents.RefreshToken(
        agent_pb2.RefreshTokenRequest(request_id=new_request(), refresh_token=token),
        timeout=CALL_SECONDS,
    )
    return answer.tokens
