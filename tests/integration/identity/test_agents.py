"""Agents as operators and supervisors make and change them."""

import asyncio
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from careline.identity.v1 import agent_service_pb2 as pb2
from integration.identity.rig import DEMO, OTHER, PASSWORD, AgentAccount, Rig, seed_in
from integration.refusals import refusal, request_id
from runtime.database.tenant_session import tenant_session
from sqlalchemy import text


def creating(
    user_name: str = "",
    *,
    display_name: str = "Nora Abara",
    roles: tuple[str, ...] = ("agent",),
    password: str = PASSWORD,
    request: str = "",
) -> pb2.CreateAgentRequest:
    return pb2.CreateAgentRequest(
        request_id=request or request_id(),
        agent=pb2.Agent(
            user_name=user_name or f"user-{request_id()[-12:]}",
            display_name=display_name,
            roles=roles,
        ),
        password=password,
    )


async def test_an_agent_is_made_and_listed(rig: Rig) -> None:
    operator = await rig.operator()
    request = creating(roles=("nurse", "agent"))

    created = await operator.agents.CreateAgent(request)

    assert created.agent.user_name == request.agent.user_name
    assert list(created.agent.roles) == ["agent", "nurse"]
    assert created.agent.state == pb2.Agent.STATE_ACTIVE
    await rig.until(
        "select count(*) from identity.agent where agent = :agent", 1, agent=created.agent.name
    )
    listed = await operator.agents.ListAgents(pb2.ListAgentsRequest(page_size=200))
    assert created.agent in listed.agents


async def test_the_same_request_again_answers_as_the_first_time(rig: Rig) -> None:
    operator = await rig.operator()
    request = creating()
    first, second = await asyncio.gather(
        operator.agents.CreateAgent(request), operator.agents.CreateAgent(request)
    )

    later = await operator.agents.CreateAgent(request)

    assert first == second == later
    request.password = "another kettle anvil"
    assert await refusal(operator.agents.CreateAgent(request)) == "REQUEST_ID_REUSED"
    assert (await rig.sign_in(request.agent.user_name, PASSWORD)).session_token


async def test_a_name_belongs_to_one_agent_of_a_tenant_however_it_is_written(rig: Rig) -> None:
    operator, elsewhere = await rig.operator(), await rig.operator(OTHER)
    user_name = f"Nora.{request_id()[-12:]}"
    await operator.agents.CreateAgent(creating(user_name))

    assert await refusal(operator.agents.CreateAgent(creating(user_name.upper()))) == "NAME_TAKEN"
    assert (await elsewhere.agents.CreateAgent(creating(user_name))).agent.name


async def test_of_twenty_who_want_a_name_at_once_one_gets_it(rig: Rig) -> None:
    operator = await rig.operator()
    user_name = f"wanted-{request_id()[-12:]}"

    answers = await asyncio.gather(
        *(operator.agents.CreateAgent(creating(user_name)) for _ in range(20)),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, pb2.CreateAgentResponse) for answer in answers) == 1


@pytest.mark.parametrize(
    "password", ["short77", "x" * 129, "Password1!", "aaaaaaaaaaaa", "demo1234!"]
)
async def test_a_password_that_guessers_try_is_refused(rig: Rig, password: str) -> None:
    operator = await rig.operator()

    reason = await refusal(operator.agents.CreateAgent(creating(password=password)))

    assert reason == "PASSWORD_UNACCEPTABLE"


async def test_a_password_like_the_users_name_is_refused(rig: Rig) -> None:
    operator = await rig.operator()

    request = creating("gudrun.hallgrimsdottir", password="gudrun.hallgrimsdottir1")

    assert await refusal(operator.agents.CreateAgent(request)) == "PASSWORD_UNACCEPTABLE"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (pb2.CreateAgentRequest(), "FIELD_INVALID"),
        (creating(roles=("root",)), "FIELD_INVALID"),
        (creating(roles=()), "FIELD_INVALID"),
        (creating(display_name=""), "FIELD_INVALID"),
        (creating("n" * 101), "FIELD_INVALID"),
        (creating("nul\0"), "FIELD_INVALID"),
        (creating(request="no-uuid"), "FIELD_INVALID"),
        (creating(password="p" * 600), "FIELD_INVALID"),
    ],
)
async def test_malformed_requests_are_refused(
    rig: Rig, request_: pb2.CreateAgentRequest, reason: str
) -> None:
    operator = await rig.operator()

    assert await refusal(operator.agents.CreateAgent(request_)) == reason


async def test_a_request_id_is_required(rig: Rig) -> None:
    operator = await rig.operator()
    request = creating()
    request.request_id = ""

    assert await refusal(operator.agents.CreateAgent(request)) == "REQUEST_ID_REQUIRED"


async def test_supervisors_may_and_others_may_not(rig: Rig) -> None:
    supervisor = await rig.agent("supervisor")
    created = await supervisor.agents.CreateAgent(creating())

    for other in (await rig.agent("agent"), await rig.agent("auditor"), await rig.frontend()):
        assert await refusal(other.agents.CreateAgent(creating())) == "DENIED_OR_ABSENT"
        enrolling = pb2.EnrollTotpRequest(request_id=request_id(), agent=created.agent.name)
        assert await refusal(other.agents.EnrollTotp(enrolling)) == "DENIED_OR_ABSENT"
        assert await refusal(other.agents.ListAgents(pb2.ListAgentsRequest())) == "DENIED_OR_ABSENT"
    anonymous = await rig.anonymous()
    assert await refusal(anonymous.agents.CreateAgent(creating())) == "TOKEN_MISSING"


async def test_a_supervisor_does_not_change_himself(rig: Rig) -> None:
    agent = await rig.new_agent("supervisor")
    supervisor = await rig.agent("supervisor", name=agent.name)
    changes = (
        supervisor.agents.AssignRoles(
            pb2.AssignRolesRequest(request_id=request_id(), agent=agent.name, roles=["auditor"])
        ),
        supervisor.agents.EnrollTotp(
            pb2.EnrollTotpRequest(request_id=request_id(), agent=agent.name)
        ),
        supervisor.agents.SuspendAgent(
            pb2.SuspendAgentRequest(request_id=request_id(), agent=agent.name, reason="LEFT")
        ),
    )

    assert [await refusal(change) for change in changes] == ["DENIED_OR_ABSENT"] * 3


async def test_another_tenants_agent_is_denied_or_absent(rig: Rig) -> None:
    agent = await rig.new_agent()
    elsewhere = await rig.operator(OTHER)

    for name in (agent.name, f"agents/{request_id()}"):
        assert (
            await refusal(
                elsewhere.agents.EnrollTotp(
                    pb2.EnrollTotpRequest(request_id=request_id(), agent=name)
                )
            )
            == "DENIED_OR_ABSENT"
        )


@pytest.mark.parametrize(
    "name", ["", "agents/", "agents/x", "patients/1", "agents/../x", "x" * 999]
)
async def test_a_malformed_name_is_named(rig: Rig, name: str) -> None:
    operator = await rig.operator()
    request = pb2.EnrollTotpRequest(request_id=request_id(), agent=name)

    assert await refusal(operator.agents.EnrollTotp(request)) == "FIELD_INVALID"


async def test_an_authenticator_is_given_once_and_again_to_the_same_request(rig: Rig) -> None:
    operator = await rig.operator()
    created = await operator.agents.CreateAgent(creating())
    request = pb2.EnrollTotpRequest(request_id=request_id(), agent=created.agent.name)

    first = await operator.agents.EnrollTotp(request)
    again = await operator.agents.EnrollTotp(request)

    uri = urlsplit(first.otpauth_uri)
    query = parse_qs(uri.query)
    assert again == first
    assert len(seed_in(first.otpauth_uri)) == 20
    assert unquote(uri.path) == f"/Careline:{created.agent.user_name}"
    assert (query["algorithm"], query["digits"], query["period"]) == (["SHA1"], ["6"], ["30"])


async def test_a_replaced_authenticator_is_not_given_again(rig: Rig) -> None:
    operator = await rig.operator()
    created = await operator.agents.CreateAgent(creating())
    old = pb2.EnrollTotpRequest(request_id=request_id(), agent=created.agent.name)
    await operator.agents.EnrollTotp(old)
    await operator.agents.EnrollTotp(
        pb2.EnrollTotpRequest(request_id=request_id(), agent=created.agent.name)
    )

    assert await refusal(operator.agents.EnrollTotp(old)) == "CONFLICT"


async def test_roles_are_replaced_at_the_etag_that_was_read(rig: Rig) -> None:
    operator = await rig.operator()
    created = await operator.agents.CreateAgent(creating())
    changed = await operator.agents.AssignRoles(
        pb2.AssignRolesRequest(
            request_id=request_id(),
            agent=created.agent.name,
            roles=["nurse"],
            etag=created.agent.etag,
        )
    )
    stale = pb2.AssignRolesRequest(
        request_id=request_id(),
        agent=created.agent.name,
        roles=["auditor"],
        etag=created.agent.etag,
    )

    assert list(changed.agent.roles) == ["nurse"]
    assert changed.agent.user_name == created.agent.user_name
    assert await refusal(operator.agents.AssignRoles(stale)) == "ETAG_STALE"
    stale.etag = "soon"
    stale.request_id = request_id()
    assert await refusal(operator.agents.AssignRoles(stale)) == "FIELD_INVALID"


async def test_lists_go_page_by_page_and_tokens_are_of_their_query(rig: Rig) -> None:
    operator, elsewhere = await rig.operator(), await rig.operator(OTHER)
    names = [(await rig.new_agent()).name for _ in range(3)]
    await rig.until("select count(*) from identity.agent where agent = :agent", 1, agent=names[-1])
    found: list[str] = []
    token = ""
    while True:
        page = await operator.agents.ListAgents(
            pb2.ListAgentsRequest(page_size=2, page_token=token)
        )
        found += [agent.name for agent in page.agents]
        token = page.next_page_token or token
        if not page.next_page_token:
            break

    assert len(found) == len(set(found))
    assert [name for name in found if name in names] == names
    for client, wrong in ((elsewhere, token), (operator, "x"), (operator, token[:-3])):
        request = pb2.ListAgentsRequest(page_size=2, page_token=wrong)
        assert await refusal(client.agents.ListAgents(request)) == "PAGE_TOKEN_INVALID"
    negative = pb2.ListAgentsRequest(page_size=-1)
    assert await refusal(operator.agents.ListAgents(negative)) == "FIELD_INVALID"


async def test_a_suspended_agent_is_listed_as_such(rig: Rig) -> None:
    agent = await rig.new_agent()
    operator = await rig.operator()

    suspended = await operator.agents.SuspendAgent(
        pb2.SuspendAgentRequest(request_id=request_id(), agent=agent.name, reason="LEFT")
    )

    assert suspended.agent.state == pb2.Agent.STATE_SUSPENDED
    await rig.until(
        "select suspended from identity.agent where agent = :agent", True, agent=agent.name
    )
    wrong = pb2.SuspendAgentRequest(request_id=request_id(), agent=agent.name, reason="BORED")
    assert await refusal(operator.agents.SuspendAgent(wrong)) == "FIELD_INVALID"


async def test_neither_names_nor_credentials_stand_in_events_or_rows(rig: Rig) -> None:
    agent = await rig.new_agent()
    events = [event.data + event.metadata for event in await rig.events(agent.name)]
    credentials = await rig.rows(
        "select sealed from identity.agent_credential where agent = :agent", agent=agent.name
    )
    listed = await rig.rows(
        "select created from identity.agent where agent = :agent", agent=agent.name
    )

    assert len(credentials) == 2
    kept = b"".join([*events, *(row[0] for row in (*credentials, *listed))])
    for secret in (agent.user_name, "Nora Abara", agent.password, "argon2id"):
        assert secret.encode() not in kept
    assert agent.seed not in kept
    assert await rig.messages(agent.name)


async def test_rows_of_one_tenant_are_closed_to_another(rig: Rig) -> None:
    agent = await rig.new_agent()
    count = text("select count(*) from identity.agent_credential where agent = :agent")
    async with tenant_session(rig.queries, OTHER) as connection:
        assert await connection.scalar(count, {"agent": agent.name}) == 0
    async with tenant_session(rig.queries, DEMO) as connection:
        assert await connection.scalar(count, {"agent": agent.name}) == 2


async def test_a_request_cut_off_before_the_credential_was_kept_completes_when_repeated(
    rig: Rig,
) -> None:
    operator = await rig.operator()
    request = creating()
    created = await operator.agents.CreateAgent(request)
    enrolling = pb2.EnrollTotpRequest(request_id=request_id(), agent=created.agent.name)
    await operator.agents.EnrollTotp(enrolling)
    async with rig.database.engine.begin() as connection:
        rows = text("delete from identity.agent_credential where agent = :agent")
        await connection.execute(rows, {"agent": created.agent.name})
    assert await refusal(rig.sign_in(request.agent.user_name, PASSWORD)) == "SIGN_IN_REFUSED"

    again = await operator.agents.CreateAgent(request)
    enrolled = await operator.agents.EnrollTotp(enrolling)

    assert again.agent.name == created.agent.name
    account = AgentAccount(
        again.agent.name, request.agent.user_name, PASSWORD, seed_in(enrolled.otpauth_uri)
    )
    assert (await rig.signed_in(account)).access_token
