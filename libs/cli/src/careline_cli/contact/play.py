"""Plays both contacts with their principals, and reads them back."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import grpc
from careline.log.v1.log_service_pb2_grpc import LogServiceStub

from careline_cli.contact.accounts import QUEUE, DemoAccounts, agent_token, frontend_token
from careline_cli.contact.agent import Agent
from careline_cli.contact.caller import Caller, new_trace
from careline_cli.contact.frontend import Frontend, sending_out
from careline_cli.contact.persona import Persona, persona_named
from careline_cli.contact.sms_contact import ContactFailed, play_sms_contact
from careline_cli.contact.stubs import Stubs, connected
from careline_cli.contact.timeline import Timeline, read_timeline, trail_covers
from careline_cli.contact.voice_contact import play_voice_contact
from careline_cli.tenant import DEMO_TENANT

Token = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Played:
    """Both contacts as the services recorded them."""

    patient: str
    sms: Timeline
    voice: Timeline


async def play(
    addresses: Mapping[str, str],
    accounts: DemoAccounts,
    agent_token_file: Path,
    operator: Token,
    patients: Sequence[str],
    say: Callable[[str], None],
) -> Played:
    """Play the contacts as channel frontend and agent; the operator only reads them back.

    The first of `patients` is played whom codes can still be sent to.
    """
    async with connected(addresses) as stubs:
        frontend = frontend_token(stubs, accounts).token
        agent = agent_token(stubs, accounts, agent_token_file).token
        desk = Caller(agent, new_trace())
        say("playing a contact by SMS and chat")
        for name in patients:
            persona = await persona_named(stubs, desk, name)
            sms = await _play_sms(stubs, frontend, agent, accounts.agent, persona)
            if sms is not None:
                break
        else:
            raise ContactFailed("every patient has had too many codes; try again in half an hour")
        say("playing a contact by voice")
        voice = await _play_voice(stubs, frontend, persona)
        say("reading both back")
        return await _read_back(stubs, addresses, operator, frontend, persona, sms, voice)


async def _play_sms(
    stubs: Stubs, frontend_token: Token, agent_token: Token, agent_name: str, persona: Persona
) -> tuple[str, str] | None:
    """Give conversation and trace, None when no more codes may be sent to the patient now."""
    trace = new_trace()
    agent = Agent(stubs, Caller(agent_token, trace), agent_name)
    await agent.finish_open_work()
    await agent.go_available(QUEUE)
    async with sending_out(Frontend(stubs, Caller(frontend_token, trace))) as frontend:
        name = await play_sms_contact(frontend, agent, persona, QUEUE)
    await agent.go_offline()
    return None if name is None else (name, trace)


async def _play_voice(stubs: Stubs, token: Token, persona: Persona) -> tuple[str, str]:
    trace = new_trace()
    return await play_voice_contact(Frontend(stubs, Caller(token, trace)), persona), trace


async def _read_back(
    stubs: Stubs,
    addresses: Mapping[str, str],
    operator_token: Token,
    frontend_token: Token,
    persona: Persona,
    sms: tuple[str, str],
    voice: tuple[str, str],
) -> Played:
    operator = Caller(operator_token, new_trace(), tenant=DEMO_TENANT)
    reader = Caller(frontend_token, new_trace())
    async with AsyncExitStack() as stack:
        logs = {
            service: LogServiceStub(
                await stack.enter_async_context(grpc.aio.insecure_channel(address))
            )
            for service, address in addresses.items()
        }
        await trail_covers(stubs, operator, logs)
    timelines = [
        await read_timeline(
            stubs, operator, reader, name=name, patient=persona.patient, trace=trace
        )
        for name, trace in (sms, voice)
    ]
    return Played(persona.patient, *timelines)
