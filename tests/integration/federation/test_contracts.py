import grpc
import pytest
from careline.conversations.events.v1.events_pb2 import MessagePosted
from careline.federation.v1 import partner_service_pb2 as pb2
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from integration.federation.partner import Partner, new_partner, new_request
from integration.federation.platform_rig import PlatformRig
from runtime.errors import reason_from, status_from
from runtime.new_id import new_id
from runtime.principal import PrincipalKind

POSTED = MessagePosted.DESCRIPTOR.full_name


def fields_of(error: grpc.aio.AioRpcError) -> list[str]:
    status, request = status_from(error), error_details_pb2.BadRequest()
    assert status is not None
    return [
        violation.field
        for detail in status.details
        if detail.Unpack(request)
        for violation in request.field_violations
    ]


async def test_a_contract_reads_as_it_was_made(partner: Partner) -> None:
    key = partner.contract.partner_key
    answer = await partner.api.GetContract(pb2.GetContractRequest(name=partner.contract.name))
    read = answer.contract
    assert read == partner.contract
    assert (read.stream, read.consumer) == (f"FED_{key.upper()}", "fed")
    assert read.state == pb2.Contract.STATE_ACTIVE
    assert read.HasField("create_time")


async def test_the_same_request_again_answers_the_same(partner: Partner) -> None:
    again = await partner.api.CreateContract(partner.request)
    assert again.contract == partner.contract
    changed = pb2.CreateContractRequest()
    changed.CopyFrom(partner.request)
    changed.contract.display_name = "Somebody else"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await partner.api.CreateContract(changed)
    assert reason_from(refused.value) == "REQUEST_ID_REUSED"


async def test_the_same_request_again_issues_the_same_user(
    rig: PlatformRig, partner: Partner
) -> None:
    request_id = new_id()
    first, again = await partner.issue(request_id), await partner.issue(request_id)
    assert (first.user, first.expire_time) == (again.user, again.expire_time)
    async with await rig.connect(again.credentials) as client:
        assert client.is_connected
    assert (await partner.issue()).user != first.user


async def test_a_partner_key_is_taken_once_over_all_tenants(
    rig: PlatformRig, partner: Partner
) -> None:
    for tenant in ("demo", "other"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await new_partner(rig, tenant=tenant, key=partner.contract.partner_key)
        assert reason_from(refused.value) == "NAME_TAKEN"


async def test_another_tenants_contract_is_denied_or_absent(
    rig: PlatformRig, partner: Partner
) -> None:
    api, name = await rig.api("other"), partner.contract.name
    user = (await partner.issue()).user
    calls = (
        lambda: api.GetContract(pb2.GetContractRequest(name=name)),
        lambda: api.IssueCredentials(
            pb2.IssueCredentialsRequest(request_id=str(new_id()), partner=name)
        ),
        lambda: api.RevokeCredentials(
            pb2.RevokeCredentialsRequest(request_id=str(new_id()), partner=name, user=user)
        ),
        lambda: api.SuspendPartner(
            pb2.SuspendPartnerRequest(request_id=str(new_id()), partner=name, reason="OTHER")
        ),
    )
    for call in calls:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call()
        assert reason_from(refused.value) == "DENIED_OR_ABSENT"
    assert (await partner.api.GetContract(pb2.GetContractRequest(name=name))).contract.state == (
        pb2.Contract.STATE_ACTIVE
    )


async def test_an_agent_has_no_business_with_partners(rig: PlatformRig, partner: Partner) -> None:
    api = await rig.api(kind=PrincipalKind.AGENT)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await api.GetContract(pb2.GetContractRequest(name=partner.contract.name))
    assert reason_from(refused.value) == "DENIED_OR_ABSENT"


@pytest.mark.parametrize(
    ("field", "contract"),
    [
        ("contract.partner_key", pb2.Contract(partner_key="a")),
        ("contract.partner_key", pb2.Contract(partner_key="Acme")),
        ("contract.partner_key", pb2.Contract(partner_key="a.>")),
        ("contract.partner_key", pb2.Contract(partner_key="acme-1")),
        ("contract.display_name", pb2.Contract(display_name=" ")),
        ("contract.event_types", pb2.Contract(event_types=[])),
        ("contract.event_types", pb2.Contract(event_types=[POSTED, POSTED])),
        ("contract.event_types[1]", pb2.Contract(event_types=[POSTED, "careline.x.v1.Y"])),
        (
            "contract.event_types[0]",
            pb2.Contract(event_types=["careline.identity.events.v1.AgentRegistered"]),
        ),
        ("contract.event_types[0]", pb2.Contract(event_types=["google.protobuf.Timestamp"])),
    ],
)
async def test_a_malformed_contract_is_refused_by_the_fields_path(
    rig: PlatformRig, field: str, contract: pb2.Contract
) -> None:
    good = new_request()
    wanted = {name: getattr(good.contract, name) for name in ("partner_key", "display_name")}
    given = pb2.Contract(event_types=good.contract.event_types, **wanted)
    if field.startswith("contract.event_types"):
        given.ClearField("event_types")
    given.MergeFrom(contract)
    if contract.display_name == " ":
        given.display_name = " "
    good.contract.CopyFrom(given)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await (await rig.api()).CreateContract(good)
    assert reason_from(refused.value) == "FIELD_INVALID"
    assert fields_of(refused.value) == [field]


@pytest.mark.parametrize("seconds", [-1, 0, 59, 30 * 86_400 + 1, 315_576_000_000])
async def test_a_lifetime_beyond_the_bounds_is_refused(partner: Partner, seconds: int) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await partner.api.IssueCredentials(
            pb2.IssueCredentialsRequest(
                request_id=str(new_id()),
                partner=partner.contract.name,
                lifetime=Duration(seconds=seconds),
            )
        )
    assert fields_of(refused.value) == ["lifetime"]


async def test_no_seed_is_in_an_event_or_table(rig: PlatformRig, partner: Partner) -> None:
    issued = await partner.issue()
    seed = issued.credentials.split("USER NKEY SEED-----\n")[1].split("\n")[0]
    kept = rig.vault.secrets.kv.v2.read_secret_version(
        f"careline/nats/partners/demo/{partner.contract.partner_key}",
        raise_on_deleted_version=True,
    )["data"]["data"]["seeds"]
    rows = await rig.rows("select data, metadata from federation.event")
    for table in ("partner_key", "forwarding", "outgoing"):
        rows += await rig.rows(f"select * from federation.{table}")  # noqa: S608 - fixed names
    everything = repr(rows)
    assert seed.startswith("SU")
    assert seed not in everything
    assert '"SA' in kept
    assert kept.split('"')[3] not in everything
