"""Sessions: refreshed in turn, ended by idleness, age, replay, sign-out and suspension."""

import asyncio
from datetime import timedelta

from careline.identity.v1 import agent_service_pb2 as pb2
from integration.identity.rig import OTHER, Rig
from integration.refusals import refusal, request_id


async def session_of(rig: Rig, tokens: pb2.TokenSet) -> str:
    principal = await rig.serving.runtime.token_verifier.verify(tokens.access_token)
    return f"sessions/{principal.session}"


async def test_refresh_tokens_count_once_each_in_turn(rig: Rig) -> None:
    first = await rig.signed_in(await rig.new_agent())
    second = (await rig.refresh(first.refresh_token)).tokens
    third = (await rig.refresh(second.refresh_token)).tokens

    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert third.session_expire_time == first.session_expire_time


async def test_a_refresh_token_that_comes_back_ends_the_session(rig: Rig) -> None:
    first = await rig.signed_in(await rig.new_agent())
    second = (await rig.refresh(first.refresh_token)).tokens

    assert await refusal(rig.refresh(first.refresh_token)) == "SESSION_ENDED"
    assert await refusal(rig.refresh(second.refresh_token)) == "SESSION_ENDED"
    assert (await rig.types(await session_of(rig, first)))[-1] == "SessionEnded"


async def test_the_same_refresh_request_again_is_no_replay(rig: Rig) -> None:
    first = await rig.signed_in(await rig.new_agent())
    request = request_id()
    one, two = await asyncio.gather(
        rig.refresh(first.refresh_token, request), rig.refresh(first.refresh_token, request)
    )

    assert one.tokens.refresh_token == two.tokens.refresh_token
    assert (await rig.refresh(one.tokens.refresh_token)).tokens.access_token


async def test_of_ten_who_use_a_refresh_token_at_once_one_gets_tokens(rig: Rig) -> None:
    first = await rig.signed_in(await rig.new_agent())

    answers = await asyncio.gather(
        *(rig.refresh(first.refresh_token) for _ in range(10)), return_exceptions=True
    )

    given = [answer for answer in answers if isinstance(answer, pb2.RefreshTokenResponse)]
    assert len(given) <= 1
    assert (await rig.types(await session_of(rig, first))).count("SessionRefreshed") == 1


async def test_a_forged_refresh_token_ends_nothing(rig: Rig) -> None:
    first = await rig.signed_in(await rig.new_agent())
    kind, tenant, session, _, proof = first.refresh_token.split(".")
    for forged in (
        f"{kind}.{tenant}.{session}.7.{proof}",
        f"{kind}.{OTHER}.{session}.0.{proof}",
        f"{kind}.{tenant}.{session}.0.{'A' * 43}",
        "refresh",
        "",
    ):
        assert await refusal(rig.refresh(forged)) == "SESSION_ENDED"

    assert (await rig.refresh(first.refresh_token)).tokens.access_token


async def test_fifteen_idle_minutes_end_a_session(rig: Rig) -> None:
    tokens = await rig.signed_in(await rig.new_agent())
    rig.clock.advance(timedelta(minutes=14))
    tokens = (await rig.refresh(tokens.refresh_token)).tokens
    rig.clock.advance(timedelta(minutes=15))

    assert await refusal(rig.refresh(tokens.refresh_token)) == "SESSION_ENDED"


async def test_twelve_hours_end_a_session_however_active_it_is(rig: Rig) -> None:
    tokens = await rig.signed_in(await rig.new_agent())
    begun = rig.clock()
    for _ in range(55):
        rig.clock.advance(timedelta(minutes=13))
        tokens = (await rig.refresh(tokens.refresh_token)).tokens
        assert tokens.access_expire_time.ToDatetime() - rig.clock().replace(
            tzinfo=None
        ) <= timedelta(minutes=5)
    rig.clock.advance(begun + timedelta(hours=12) - rig.clock())

    assert await refusal(rig.refresh(tokens.refresh_token)) == "SESSION_ENDED"


async def test_signing_out_ends_the_session_of_the_token(rig: Rig) -> None:
    agent = await rig.new_agent()
    tokens, other = await rig.signed_in(agent), await rig.signed_in(agent)
    client = await rig.with_token(tokens.access_token)
    request = pb2.SignOutRequest(request_id=request_id())

    first = await client.agents.SignOut(request)
    again = await client.agents.SignOut(request)

    assert first == again
    assert first.position > 0
    assert await refusal(rig.refresh(tokens.refresh_token)) == "SESSION_ENDED"
    assert (await rig.refresh(other.refresh_token)).tokens.access_token


async def test_a_frontend_and_an_operator_have_no_session_to_end(rig: Rig) -> None:
    for client in (await rig.frontend(), await rig.operator()):
        request = pb2.SignOutRequest(request_id=request_id())
        assert await refusal(client.agents.SignOut(request)) == "DENIED_OR_ABSENT"


async def test_suspending_ends_sessions_and_keeps_out(rig: Rig) -> None:
    agent = await rig.new_agent()
    sessions = [await rig.signed_in(agent) for _ in range(3)]
    waiting = await rig.sign_in(agent.user_name, agent.password)
    operator = await rig.operator()
    request = pb2.SuspendAgentRequest(
        request_id=request_id(), agent=agent.name, reason="LOST_DEVICE"
    )

    first = await operator.agents.SuspendAgent(request)
    again = await operator.agents.SuspendAgent(request)

    assert first == again
    for tokens in sessions:
        assert (await rig.types(await session_of(rig, tokens)))[-1] == "SessionEnded"
        assert await refusal(rig.refresh(tokens.refresh_token)) == "SESSION_ENDED"
    rig.clock.advance(timedelta(seconds=30))
    assert await refusal(rig.verify(waiting.session_token, rig.code(agent))) == "SIGN_IN_REFUSED"
    assert await refusal(rig.sign_in(agent.user_name, agent.password)) == "SIGN_IN_REFUSED"


async def test_new_roles_are_in_the_next_token(rig: Rig) -> None:
    agent = await rig.new_agent("agent")
    tokens = await rig.signed_in(agent)
    operator = await rig.operator()
    await operator.agents.AssignRoles(
        pb2.AssignRolesRequest(request_id=request_id(), agent=agent.name, roles=["auditor"])
    )

    refreshed = await rig.refresh(tokens.refresh_token)

    verifier = rig.serving.runtime.token_verifier
    assert (await verifier.verify(refreshed.tokens.access_token)).roles == {"auditor"}
