"""Who gets through: tokens, tenants, policies and purposes, on a real server."""

from collections.abc import Iterable
from dataclasses import replace

import grpc
import pytest
from integration.runtime.probe.api import ProbeStub, Request
from integration.runtime.rig import AGENT, Rig, running_rig
from runtime.errors import reason_from
from runtime.outgoing import CallFor
from runtime.principal import Principal, PrincipalKind, service_principal
from runtime.request_context import current_request
from runtime.tokens.token import TokenIssuer

OPERATOR = Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({"demo", "other"}))
Metadata = Iterable[tuple[str, str]]


async def _refused(rig: Rig, *metadata: tuple[str, str], method: str = "one") -> tuple[str, str]:
    """Call by plain gRPC and give code and reason."""
    stub = ProbeStub(await rig.bare())
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await getattr(stub, method)(Request(), timeout=5, metadata=metadata)
    return raised.value.code().name, reason_from(raised.value)


async def test_a_call_without_token_is_refused(rig: Rig) -> None:
    assert await _refused(rig) == ("UNAUTHENTICATED", "TOKEN_MISSING")


@pytest.mark.parametrize("value", ["Basic abc", "Bearer", "Bearer ", "Bearer a.b.c", "x" * 9000])
async def test_a_token_that_is_none_is_refused(rig: Rig, value: str) -> None:
    assert await _refused(rig, ("authorization", value)) == ("UNAUTHENTICATED", "TOKEN_INVALID")


async def test_two_tokens_are_refused(rig: Rig) -> None:
    header = ("authorization", f"Bearer {await rig.token()}")

    assert await _refused(rig, header, header) == ("UNAUTHENTICATED", "TOKEN_INVALID")


async def test_an_expired_token_is_told_so(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.tokens.token.time.time", lambda: 1_700_000_000.0)
    text = await TokenIssuer(rig.keys, "token-identity").issue(AGENT, 60)
    monkeypatch.undo()

    refused = await _refused(rig, ("authorization", f"Bearer {text}"))

    assert refused == ("UNAUTHENTICATED", "TOKEN_EXPIRED")


async def test_a_principal_without_permit_is_denied_before_its_request_is_looked_at(
    rig: Rig,
) -> None:
    frontend = replace(AGENT, kind=PrincipalKind.FRONTEND, name="serviceAccounts/sms")
    header = ("authorization", f"Bearer {await rig.token(frontend)}")
    stub = ProbeStub(await rig.bare())

    assert await _refused(rig, header) == ("PERMISSION_DENIED", "DENIED_OR_ABSENT")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.raw(b"\xff\xff\xff", timeout=5, metadata=(header,))
    assert reason_from(raised.value) == "DENIED_OR_ABSENT"
    assert rig.api.seen == []


async def test_an_agent_can_not_name_another_tenant(rig: Rig) -> None:
    header = ("authorization", f"Bearer {await rig.token()}")

    for tenant in ("other", "*", "Demo", ""):
        refused = await _refused(rig, header, ("careline-tenant", tenant))
        assert refused == ("PERMISSION_DENIED", "DENIED_OR_ABSENT")


async def test_a_service_acts_for_the_tenant_it_names_and_else_for_all(rig: Rig) -> None:
    seen = []

    async def one(request: Request) -> object:
        seen.append(current_request().tenant)
        return await original(request)

    original, rig.api.one = rig.api.one, one  # type: ignore[assignment]  # answers as the original
    service = await rig.token(service_principal("routing"), "token-routing")
    for call_for in (None, CallFor(tenant="demo")):
        await ProbeStub(await rig.channel(service, call_for)).one(Request())

    assert seen == ["*", "demo"]


async def test_an_operator_of_two_tenants_acts_for_one_at_a_time(rig: Rig) -> None:
    token = await rig.token(OPERATOR, "token-operator")
    header = ("authorization", f"Bearer {token}")

    assert await _refused(rig, header) == ("PERMISSION_DENIED", "DENIED_OR_ABSENT")
    refused = await _refused(rig, header, ("careline-tenant", "third"))
    assert refused == ("PERMISSION_DENIED", "DENIED_OR_ABSENT")
    await ProbeStub(await rig.channel(token, CallFor(tenant="other"))).one(Request())


async def test_a_disclosing_method_needs_a_purpose_that_its_policy_takes(rig: Rig) -> None:
    header = ("authorization", f"Bearer {await rig.token()}")

    async def reason(*purpose: tuple[str, str]) -> tuple[str, str]:
        return await _refused(rig, header, *purpose, method="disclose")

    assert await reason() == ("INVALID_ARGUMENT", "PURPOSE_OF_USE_REQUIRED")
    fun = ("careline-purpose-of-use", "FUN")
    assert await reason(fun) == ("INVALID_ARGUMENT", "PURPOSE_OF_USE_INVALID")
    payment = ("careline-purpose-of-use", "HPAYMT")
    assert await reason(payment) == ("PERMISSION_DENIED", "DENIED_OR_ABSENT")
    await (await rig.stub(CallFor(purpose="TREAT"))).disclose(Request())


async def test_who_may_not_call_at_all_is_not_asked_for_a_purpose(rig: Rig) -> None:
    clerk = replace(AGENT, roles=frozenset({"clerk"}))
    header = ("authorization", f"Bearer {await rig.token(clerk)}")

    refused = await _refused(rig, header, method="disclose")

    assert refused == ("PERMISSION_DENIED", "DENIED_OR_ABSENT")


async def test_anonymous_methods_take_no_token_and_mind_none(rig: Rig) -> None:
    stub = ProbeStub(await rig.bare())

    await stub.sign_in(Request(), timeout=5)
    await stub.sign_in(Request(), timeout=5, metadata=(("authorization", "Bearer stale"),))


async def test_a_session_that_has_ended_is_refused_before_its_token_is() -> None:
    class Ended:
        def has_ended(self, session: str) -> bool:
            return session == AGENT.session

    async with running_rig(ended=Ended()) as rig:
        header = ("authorization", f"Bearer {await rig.token()}")

        assert await _refused(rig, header) == ("UNAUTHENTICATED", "SESSION_ENDED")
        other = replace(AGENT, session="another")
        await ProbeStub(await rig.channel(await rig.token(other))).one(Request())
