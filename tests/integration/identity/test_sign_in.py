"""Signing in: two factors, their lockouts, and that no answer tells whether a name exists."""

import asyncio
from collections import Counter
from datetime import timedelta

import grpc
import pytest
from careline.identity.events.v1 import events_pb2 as events
from careline.identity.v1 import agent_service_pb2 as pb2
from identity.domain import totp
from integration.identity.rig import DEMO, OTHER, PASSWORD, AgentAccount, Rig, whole_refusal
from integration.refusals import refusal, request_id
from runtime.errors import reason_from
from runtime.principal import PrincipalKind

WRONG = "wrong kettle anvil"


async def fail_password(rig: Rig, agent: AgentAccount, times: int) -> None:
    for _ in range(times):
        assert await refusal(rig.sign_in(agent.user_name, WRONG)) == "SIGN_IN_REFUSED"


async def types_of(rig: Rig, agent: AgentAccount) -> Counter[str]:
    return Counter(await rig.types(agent.name))


async def test_two_factors_open_a_session_whose_token_says_who_it_is(rig: Rig) -> None:
    agent = await rig.new_agent("agent", "nurse")

    begun = await rig.sign_in(agent.user_name, agent.password)
    verified = await rig.verify(begun.session_token, rig.code(agent))

    principal = await rig.serving.runtime.token_verifier.verify(verified.tokens.access_token)
    assert verified.agent == principal.name == agent.name
    assert principal.kind is PrincipalKind.AGENT
    assert principal.tenants == {DEMO}
    assert principal.roles == {"agent", "nurse"}
    session = f"sessions/{principal.session}"
    assert await rig.types(session) == ["SessionStarted", "SessionAuthenticated"]
    lifetime = verified.tokens.access_expire_time.ToDatetime() - begun.expire_time.ToDatetime()
    assert lifetime < timedelta(minutes=1)


async def test_the_token_is_taken_by_identity_itself(rig: Rig) -> None:
    tokens = await rig.signed_in(await rig.new_agent("supervisor"))
    client = await rig.with_token(tokens.access_token)

    assert (await client.agents.ListAgents(pb2.ListAgentsRequest(page_size=1))).agents


async def test_every_refusal_of_the_first_factor_is_the_same(rig: Rig) -> None:
    agent, suspended, locked = [await rig.new_agent() for _ in range(3)]
    operator = await rig.operator()
    await operator.agents.SuspendAgent(
        pb2.SuspendAgentRequest(request_id=request_id(), agent=suspended.name, reason="REVIEW")
    )
    await fail_password(rig, locked, 5)
    used = request_id()
    await rig.sign_in(agent.user_name, agent.password, request=used)

    answers = [
        await whole_refusal(rig.sign_in(agent.user_name, WRONG)),
        await whole_refusal(rig.sign_in("nobody-of-that-name", PASSWORD)),
        await whole_refusal(rig.sign_in(suspended.user_name, suspended.password)),
        await whole_refusal(rig.sign_in(locked.user_name, locked.password)),
        await whole_refusal(rig.sign_in(agent.user_name, agent.password, tenant=OTHER)),
        await whole_refusal(rig.sign_in(agent.user_name, agent.password, tenant="no-such")),
        await whole_refusal(rig.sign_in(agent.user_name, WRONG, request=used)),
        await whole_refusal(rig.sign_in("nobody-of-that-name", WRONG, request=used)),
        await whole_refusal(rig.sign_in(agent.user_name, "")),
    ]

    assert len(set(answers)) == 1
    assert answers[0][0] is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("name", ["nobody", "known"])
async def test_malformed_sign_ins_are_refused_alike_for_known_and_unknown_names(
    rig: Rig, name: str
) -> None:
    user_name = (await rig.new_agent()).user_name if name == "known" else "nobody-at-all"
    client = await rig.anonymous()
    good = {"request_id": request_id(), "tenant": DEMO, "user_name": user_name, "password": "x"}

    async def reason(**changes: str) -> str:
        return await refusal(client.agents.SignIn(pb2.SignInRequest(**{**good, **changes})))

    assert await reason(request_id="") == "REQUEST_ID_REQUIRED"
    assert await reason(request_id="soon") == "FIELD_INVALID"
    assert await reason(tenant="No Tenant") == "FIELD_INVALID"
    assert await reason(user_name="") == "FIELD_INVALID"
    assert await reason(password="p" * 600) == "FIELD_INVALID"
    assert await reason() == "SIGN_IN_REFUSED"


async def test_a_tenant_that_is_none_makes_no_key(rig: Rig) -> None:
    before = await rig.rows("select count(*) from keyring.tenant_key")

    assert await refusal(rig.sign_in("somebody", PASSWORD, tenant="made-up")) == "SIGN_IN_REFUSED"

    assert await rig.rows("select count(*) from keyring.tenant_key") == before
    assert "tenant-made-up" not in rig.vault.root.secrets.transit.list_keys()["data"]["keys"]


async def test_an_unknown_name_costs_as_much_as_a_known_one(rig: Rig) -> None:
    agent = await rig.new_agent()
    loop = asyncio.get_running_loop()

    async def seconds(user_name: str) -> float:
        begun = loop.time()
        await refusal(rig.sign_in(user_name, WRONG))
        return loop.time() - begun

    known, unknown = [], []
    for _ in range(4):
        known.append(await seconds(agent.user_name))
        unknown.append(await seconds("nobody-of-that-name"))

    assert min(unknown) > min(known) / 2


async def test_the_same_sign_in_again_gives_the_same_session(rig: Rig) -> None:
    agent = await rig.new_agent()
    request = request_id()

    first, second = await asyncio.gather(
        rig.sign_in(agent.user_name, agent.password, request=request),
        rig.sign_in(agent.user_name, agent.password, request=request),
    )

    assert first == second
    assert (await types_of(rig, agent))["AgentFactorVerified"] == 1


async def test_the_same_wrong_sign_in_again_counts_once(rig: Rig) -> None:
    agent = await rig.new_agent()
    request = request_id()
    for _ in range(3):
        await refusal(rig.sign_in(agent.user_name, WRONG, request=request))

    assert (await types_of(rig, agent))["AgentFactorFailed"] == 1


async def test_five_wrong_passwords_lock_out_until_a_quarter_of_an_hour_is_over(rig: Rig) -> None:
    agent = await rig.new_agent()
    await fail_password(rig, agent, 5)

    assert await refusal(rig.sign_in(agent.user_name, agent.password)) == "SIGN_IN_REFUSED"
    assert (await types_of(rig, agent))["AgentLockedOut"] == 1
    rig.clock.advance(timedelta(minutes=15))
    assert (await rig.sign_in(agent.user_name, agent.password)).session_token


async def test_a_hundred_guesses_at_once_are_five_evaluated(rig: Rig) -> None:
    agent = await rig.new_agent()
    passwords = [f"guess number {number}" for number in range(100)]
    passwords[60] = agent.password

    async def guess(password: str) -> str:
        try:
            await rig.sign_in(agent.user_name, password)
        except grpc.aio.AioRpcError as error:
            return reason_from(error)
        return "in"

    answers: Counter[str] = Counter()
    for start in range(0, 100, 25):
        answers.update(await asyncio.gather(*map(guess, passwords[start : start + 25])))

    types = await types_of(rig, agent)
    assert types["AgentFactorFailed"] + types["AgentFactorVerified"] <= 5
    assert set(answers) <= {"SIGN_IN_REFUSED", "OVERLOADED"}


async def test_a_password_lockout_leaves_open_sessions_and_the_authenticator_alone(
    rig: Rig,
) -> None:
    agent = await rig.new_agent()
    begun = await rig.sign_in(agent.user_name, agent.password)
    await fail_password(rig, agent, 5)

    verified = await rig.verify(begun.session_token, rig.code(agent))

    assert (await rig.refresh(verified.tokens.refresh_token)).tokens.access_token


async def test_a_code_counts_once_however_many_send_it_at_once(rig: Rig) -> None:
    agent = await rig.new_agent()
    begun = [await rig.sign_in(agent.user_name, agent.password) for _ in range(4)]
    code = rig.code(agent)

    answers = await asyncio.gather(
        *(rig.verify(one.session_token, code) for one in begun), return_exceptions=True
    )

    assert sum(isinstance(answer, pb2.VerifyFactorResponse) for answer in answers) == 1
    verified = [
        event
        for event in await rig.messages(agent.name)
        if isinstance(event, events.AgentFactorVerified) and event.factor == "TOTP"
    ]
    assert len(verified) == 1


async def test_codes_of_the_neighbouring_steps_are_taken_and_no_others(rig: Rig) -> None:
    agent = await rig.new_agent()
    # The clock goes on meanwhile: at a step's beginning it has half a minute until the next.
    left = totp.STEP_SECONDS - rig.clock().timestamp() % totp.STEP_SECONDS
    rig.clock.advance(timedelta(seconds=left))
    now = totp.step_at(rig.clock())
    for step, taken in ((now - 3, False), (now + 3, False), (now - 1, True), (now + 1, True)):
        begun = await rig.sign_in(agent.user_name, agent.password)
        call = rig.verify(begun.session_token, totp.code(agent.seed, step))
        if taken:
            assert (await call).agent == agent.name
        else:
            assert await refusal(call) == "SIGN_IN_REFUSED"


async def test_five_wrong_codes_lock_the_authenticator_and_end_the_waiting_session(
    rig: Rig,
) -> None:
    agent = await rig.new_agent()
    begun = await rig.sign_in(agent.user_name, agent.password)
    wrong = "000000" if rig.code(agent) != "000000" else "111111"
    for _ in range(5):
        assert await refusal(rig.verify(begun.session_token, wrong)) == "SIGN_IN_REFUSED"

    assert await refusal(rig.verify(begun.session_token, rig.code(agent))) == "SESSION_ENDED"
    again = await rig.sign_in(agent.user_name, agent.password)
    assert await refusal(rig.verify(again.session_token, rig.code(agent))) == "LOCKED_OUT"
    types = await types_of(rig, agent)
    assert (types["AgentFactorFailed"], types["AgentLockedOut"]) == (5, 1)
    rig.clock.advance(timedelta(minutes=15))
    last = await rig.sign_in(agent.user_name, agent.password)
    assert (await rig.verify(last.session_token, rig.code(agent))).agent == agent.name


async def test_a_thousand_codes_at_once_are_five_evaluated(rig: Rig) -> None:
    agent = await rig.new_agent()
    begun = await rig.sign_in(agent.user_name, agent.password)
    right = rig.code(agent)
    wrong = [f"{number:06d}" for number in range(1000) if f"{number:06d}" != right]

    await asyncio.gather(
        *(rig.verify(begun.session_token, code) for code in wrong), return_exceptions=True
    )

    types = await types_of(rig, agent)
    assert types["AgentFactorFailed"] <= 5


async def test_the_second_factor_must_come_in_five_minutes(rig: Rig) -> None:
    agent = await rig.new_agent()
    begun = await rig.sign_in(agent.user_name, agent.password)
    rig.clock.advance(timedelta(minutes=5))

    assert await refusal(rig.verify(begun.session_token, rig.code(agent))) == "SESSION_ENDED"


async def test_an_agent_without_an_authenticator_does_not_get_in(rig: Rig) -> None:
    operator = await rig.operator()
    user_name = f"bare-{request_id()[-12:]}"
    await operator.agents.CreateAgent(
        pb2.CreateAgentRequest(
            request_id=request_id(),
            agent=pb2.Agent(user_name=user_name, display_name="Bare", roles=["agent"]),
            password=PASSWORD,
        )
    )
    begun = await rig.sign_in(user_name, PASSWORD)

    assert await refusal(rig.verify(begun.session_token, "123456")) == "SIGN_IN_REFUSED"


async def test_forged_session_tokens_are_refused(rig: Rig) -> None:
    agent = await rig.new_agent()
    token = (await rig.sign_in(agent.user_name, agent.password)).session_token
    kind, tenant, session, number, proof = token.split(".")
    forged = [
        "",
        "x" * 5000,
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        f"{kind}.{OTHER}.{session}.{number}.{proof}",
        f"{kind}.made-up.{session}.{number}.{proof}",
        f"{kind}.{tenant}.{request_id()}.{number}.{proof}",
        f"refresh.{tenant}.{session}.{number}.{proof}",
        f"{kind}.{tenant}.{session}.1.{proof}",
        f"{kind}.{tenant}.{session}.{number}.",
        token + "\n",
        token.upper(),
    ]

    for one in forged:
        assert await refusal(rig.verify(one, rig.code(agent))) == "SIGN_IN_REFUSED"
    assert await refusal(rig.refresh(token.replace("factor.", "refresh."))) == "SESSION_ENDED"
    assert (await rig.verify(token, rig.code(agent))).agent == agent.name


@pytest.mark.parametrize(
    "code", ["", "12345", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "12 456", "'; --1"]
)
async def test_what_is_no_code_is_a_wrong_one(rig: Rig, code: str) -> None:
    agent = await rig.new_agent()
    begun = await rig.sign_in(agent.user_name, agent.password)

    assert await refusal(rig.verify(begun.session_token, code)) == "SIGN_IN_REFUSED"


async def test_the_second_factor_repeated_answers_as_the_first_time(rig: Rig) -> None:
    agent = await rig.new_agent()
    begun = await rig.sign_in(agent.user_name, agent.password)
    code, request = rig.code(agent), request_id()

    first = await rig.verify(begun.session_token, code, request)
    again = await rig.verify(begun.session_token, code, request)

    assert again.tokens.refresh_token == first.tokens.refresh_token
    await rig.refresh(first.tokens.refresh_token)
    assert await refusal(rig.verify(begun.session_token, code, request)) == "SESSION_ENDED"


async def test_names_and_passwords_with_sql_in_them_are_names_and_passwords(rig: Rig) -> None:
    for text in ("'; drop table identity.event; --", '" or 1=1 --', "$1", "%s", "\\x00"):
        assert await refusal(rig.sign_in(text, text)) == "SIGN_IN_REFUSED"
    assert (await rig.new_agent()).name


async def test_spans_hold_neither_name_nor_password_nor_code(rig: Rig) -> None:
    agent = await rig.new_agent()
    begun = await rig.sign_in(agent.user_name, agent.password)
    code = rig.code(agent)
    await rig.verify(begun.session_token, code)
    await refusal(rig.sign_in(agent.user_name, WRONG))

    written = "".join(span.to_json() for span in rig.spans.get_finished_spans())
    for secret in (agent.user_name, agent.password, WRONG, begun.session_token):
        assert secret not in written
