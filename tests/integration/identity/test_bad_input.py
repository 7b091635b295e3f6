"""What identity refuses: each by its code and reason, telling nothing, changing nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from careline.identity.v1 import agent_service_pb2 as agents_pb2
from careline.identity.v1 import caller_verification_service_pb2 as callers_pb2
from integration.bad_calls import REFUSALS, BadCall, Caller, log_unchanged, refused
from integration.identity.rig import DEMO, PASSWORD, Client, Rig
from integration.refusals import request_id
from runtime.new_id import new_id
from runtime.principal import Principal, PrincipalKind

CANARY = "Jane Doe 1985"
ABSENT = "01970000-0000-7000-8000-000000000000"
STATE, INVALID = "FAILED_PRECONDITION", "INVALID_ARGUMENT"
MALFORMED = (INVALID, "FIELD_INVALID")
DENIED = ("PERMISSION_DENIED", "DENIED_OR_ABSENT")
Call = Callable[[Client], Awaitable[Any]]
FRONTEND = Principal(
    PrincipalKind.FRONTEND, "serviceAccounts/sms", frozenset({DEMO}), channels=frozenset({"SMS"})
)
OPERATOR = Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({DEMO}))


def created(user_name: str = "user", roles: str = "agent") -> agents_pb2.CreateAgentRequest:
    agent = agents_pb2.Agent(user_name=user_name, display_name="Nora Abara", roles=[roles])
    return agents_pb2.CreateAgentRequest(request_id=request_id(), agent=agent, password=PASSWORD)


def begun(conversation: str, channel: str = "SMS") -> callers_pb2.StartVerificationRequest:
    return callers_pb2.StartVerificationRequest(
        request_id=request_id(), conversation=conversation, channel=channel
    )


def submitted(verification: str, **said: str) -> callers_pb2.SubmitIdentifiersRequest:
    return callers_pb2.SubmitIdentifiersRequest(
        request_id=request_id(), verification=verification, **said
    )


@pytest.mark.parametrize("how", BadCall)
@pytest.mark.parametrize(
    ("method", "key", "principal"),
    [
        ("CallerVerificationService/StartVerification", "token-identity", FRONTEND),
        ("CallerVerificationService/SubmitIdentifiers", "token-identity", FRONTEND),
        ("AgentService/CreateAgent", "token-operator", OPERATOR),
        ("TokenService/CreateServiceAccount", "token-operator", OPERATOR),
    ],
)
async def test_a_bad_call_is_refused_before_anything_is_done(
    rig: Rig, how: BadCall, method: str, key: str, principal: Principal
) -> None:
    caller = Caller(rig.serving.server.port, rig.operator_keys, key, principal)
    async with log_unchanged(rig.database.engine, "identity"):
        refusal = await caller.calls_badly(how, f"careline.identity.v1.{method}")

    assert refusal.why == REFUSALS[how]


@pytest.mark.parametrize(
    ("why", "field", "call"),
    [
        (MALFORMED, "conversation", lambda who: who.callers.StartVerification(begun(CANARY))),
        (
            MALFORMED,
            "channel",
            lambda who: who.callers.StartVerification(begun(f"conversations/{ABSENT}", CANARY)),
        ),
        (MALFORMED, "verification", lambda who: who.callers.SubmitIdentifiers(submitted(CANARY))),
        (
            MALFORMED,
            "full_name",
            lambda who: who.callers.SubmitIdentifiers(
                submitted(f"verifications/{ABSENT}", full_name=CANARY * 100)
            ),
        ),
        (
            DENIED,
            "",
            lambda who: who.callers.SubmitIdentifiers(
                submitted(f"verifications/{ABSENT}", full_name=CANARY)
            ),
        ),
        (
            DENIED,
            "",
            lambda who: who.callers.SendCode(
                callers_pb2.SendCodeRequest(
                    request_id=request_id(), verification=f"verifications/{ABSENT}"
                )
            ),
        ),
        (DENIED, "", lambda who: who.agents.CreateAgent(created(CANARY))),
    ],
)
async def test_bad_input_of_a_frontend_is_told_by_its_reason_alone_and_changes_nothing(
    rig: Rig, why: tuple[str, str], field: str, call: Call
) -> None:
    frontend = await rig.frontend()
    async with log_unchanged(rig.database.engine, "identity"):
        refusal = await refused(call(frontend))

    assert (refusal.why, refusal.fields) == (why, (field,) if field else ())
    assert CANARY not in refusal.text


async def test_bad_input_of_an_operator_is_told_by_its_reason_alone_and_changes_nothing(
    rig: Rig,
) -> None:
    operator = await rig.operator()
    agent = (await operator.agents.CreateAgent(created(f"user-{new_id().hex[-12:]}"))).agent
    stale = agents_pb2.AssignRolesRequest(
        request_id=request_id(), agent=agent.name, roles=["nurse"], etag="7"
    )
    absent = agents_pb2.AssignRolesRequest(
        request_id=request_id(), agent=f"agents/{ABSENT}", roles=["nurse"]
    )
    taken = created(agent.user_name)
    cases: list[tuple[tuple[str, str], Awaitable[Any]]] = [
        (MALFORMED, operator.agents.CreateAgent(created(roles=CANARY))),
        (("ABORTED", "ETAG_STALE"), operator.agents.AssignRoles(stale)),
        (DENIED, operator.agents.AssignRoles(absent)),
        (("ALREADY_EXISTS", "NAME_TAKEN"), operator.agents.CreateAgent(taken)),
    ]
    async with log_unchanged(rig.database.engine, "identity"):
        for why, call in cases:
            refusal = await refused(call)
            assert refusal.why == why
            assert CANARY not in refusal.text
            assert agent.user_name not in refusal.text


async def test_a_code_is_sent_to_a_matched_caller_only(rig: Rig) -> None:
    frontend = await rig.frontend()
    started = await frontend.callers.StartVerification(begun(f"conversations/{new_id()}"))
    request = callers_pb2.SendCodeRequest(
        request_id=request_id(), verification=started.verification.name
    )
    async with log_unchanged(rig.database.engine, "identity"):
        refusal = await refused(frontend.callers.SendCode(request))

    assert refusal.why == (STATE, "VERIFICATION_STATE")


async def test_a_phone_that_is_no_phone_is_answered_as_one_that_does_not_fit(rig: Rig) -> None:
    frontend = await rig.frontend()
    answers = []
    for phone in (f"{CANARY}, no phone", "617-555-0199"):
        started = await frontend.callers.StartVerification(begun(f"conversations/{new_id()}"))
        name = started.verification.name
        said = submitted(name, full_name=CANARY, birth_date="1985-01-01", phone=phone)
        answer = (await frontend.callers.SubmitIdentifiers(said)).verification
        assert await rig.types(name) == ["VerificationStarted", "IdentifiersNotMatched"]
        answers.append((answer.state, answer.level, answer.remaining_tries))

    identifying = callers_pb2.Verification.STATE_IDENTIFYING
    assert answers == [(identifying, callers_pb2.CALLER_LEVEL_ANONYMOUS, 2)] * 2
