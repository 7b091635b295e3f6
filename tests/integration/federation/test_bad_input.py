"""What federation refuses: each by its code and reason, telling nothing, changing nothing."""

from collections.abc import Awaitable
from typing import Any

import pytest
from careline.federation.v1 import partner_service_pb2 as pb2
from integration.bad_calls import REFUSALS, BadCall, Caller, log_unchanged, refused
from integration.federation.partner import Partner, new_request
from integration.federation.platform_rig import PlatformRig
from runtime.new_id import new_id
from runtime.principal import Principal, PrincipalKind

CANARY = "Jane Doe 1985"
ABSENT = "01970000-0000-7000-8000-000000000000"
OPERATOR = Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({"demo"}))
STATE, INVALID = "FAILED_PRECONDITION", "INVALID_ARGUMENT"
DENIED = ("PERMISSION_DENIED", "DENIED_OR_ABSENT")


@pytest.mark.parametrize("how", BadCall)
@pytest.mark.parametrize("method", ["CreateContract", "GetContract", "IssueCredentials"])
async def test_a_bad_call_is_refused_before_anything_is_done(
    rig: PlatformRig, how: BadCall, method: str
) -> None:
    caller = Caller(rig.port, rig.servers.keys, "token-operator", OPERATOR)
    async with log_unchanged(rig.servers.database.engine, "federation"):
        refusal = await caller.calls_badly(how, f"careline.federation.v1.PartnerService/{method}")

    assert refusal.why == REFUSALS[how]


async def test_bad_input_is_told_by_its_reason_alone_and_changes_nothing(
    rig: PlatformRig, partner: Partner
) -> None:
    api = partner.api
    suspended = await api.CreateContract(new_request())
    await Partner(rig, api, suspended.contract, partner.request).suspend()
    taken = new_request(key=partner.contract.partner_key)
    nameless = new_request()
    nameless.request_id = ""

    def issuing(name: str) -> pb2.IssueCredentialsRequest:
        return pb2.IssueCredentialsRequest(request_id=str(new_id()), partner=name)

    cases: list[tuple[tuple[str, str], Awaitable[Any]]] = [
        ((INVALID, "FIELD_INVALID"), api.CreateContract(new_request(key=CANARY))),
        ((INVALID, "REQUEST_ID_REQUIRED"), api.CreateContract(nameless)),
        (("ALREADY_EXISTS", "NAME_TAKEN"), api.CreateContract(taken)),
        ((INVALID, "FIELD_INVALID"), api.IssueCredentials(issuing(CANARY))),
        (DENIED, api.IssueCredentials(issuing(f"partners/{ABSENT}"))),
        ((STATE, "PARTNER_SUSPENDED"), api.IssueCredentials(issuing(suspended.contract.name))),
    ]
    async with log_unchanged(rig.servers.database.engine, "federation"):
        for why, call in cases:
            refusal = await refused(call)
            assert refusal.why == why
            assert CANARY not in refusal.text
