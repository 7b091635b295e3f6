"""Who may ask identity for what, as a table."""

from importlib.resources import files

import pytest
from runtime.access import Access, Asking
from runtime.principal import Principal, PrincipalKind

ACCESS = Access(files("identity").joinpath("policies.cedar").read_text())
SIGNING_IN = {"signIn", "verifyFactor", "refreshToken", "issueServiceToken", "getSigningKeys"}
OF_AGENTS = {"createAgent", "enrollTotp", "assignRoles", "suspendAgent", "listAgents"}
OF_PROGRAMS = {"createServiceAccount", "disableServiceAccount"}
OF_CALLERS = {
    "startVerification",
    "submitIdentifiers",
    "sendCode",
    "confirmCode",
    "getVerification",
}
ALL = SIGNING_IN | OF_AGENTS | OF_PROGRAMS | OF_CALLERS | {"signOut"}


def agent(*roles: str) -> Principal:
    name = "agents/018f0000-0000-7000-8000-000000000001"
    return Principal(PrincipalKind.AGENT, name, frozenset({"demo"}), frozenset(roles))


FRONTEND = Principal(
    PrincipalKind.FRONTEND,
    "serviceAccounts/018f0000-0000-7000-8000-000000000002",
    frozenset({"demo"}),
    channels=frozenset({"SMS"}),
)
OPERATOR = Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({"demo"}))
ROUTING = Principal(PrincipalKind.SERVICE, "services/routing", frozenset({"*"}))

TABLE = [
    (OPERATOR, OF_AGENTS | OF_PROGRAMS),
    (agent("supervisor"), OF_AGENTS | {"signOut"}),
    (agent("agent"), {"signOut", "getVerification"}),
    (agent("nurse"), {"signOut", "getVerification"}),
    (agent("auditor"), {"signOut"}),
    (agent("registrar"), {"signOut"}),
    (agent(), {"signOut"}),
    (FRONTEND, OF_CALLERS),
    (ROUTING, set()),
]


def allowed(principal: Principal, tenant: str = "demo") -> set[str]:
    asking = Asking(principal, tenant, None)
    return {each for each in ALL if ACCESS.decide_for(asking, f"identity.{each}").allowed}


@pytest.mark.parametrize(("principal", "actions"), TABLE)
def test_who_may_what(principal: Principal, actions: set[str]) -> None:
    assert allowed(principal) == actions


@pytest.mark.parametrize("principal", [OPERATOR, agent("supervisor"), FRONTEND])
def test_nobody_may_anything_in_another_tenant(principal: Principal) -> None:
    assert allowed(principal, "other") == set()


def test_without_a_token_one_may_sign_in() -> None:
    asking = Asking(None, "", None, anonymous=True)

    for each in SIGNING_IN:
        assert ACCESS.decide_for(asking, f"identity.{each}").allowed


@pytest.mark.parametrize("action", ["enrollTotp", "assignRoles", "suspendAgent"])
def test_a_supervisor_does_not_change_himself(action: str) -> None:
    asking = Asking(agent("supervisor"), "demo", None)

    for is_self in (True, False):
        decided = ACCESS.decide_for(asking, f"identity.{action}", None, {"is_self": is_self})
        assert decided.allowed is not is_self


def test_a_frontend_verifies_on_its_own_channels() -> None:
    asking = Asking(FRONTEND, "demo", None)

    for channel in ("SMS", "VOICE"):
        decided = ACCESS.decide_for(
            asking, "identity.startVerification", None, {"channel": channel}
        )
        assert decided.allowed is (channel == "SMS")
