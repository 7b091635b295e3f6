"""Who may call what, as the policies have it; deny is the default."""

from importlib.resources import files

import pytest
from runtime.access import Access, Asking
from runtime.principal import Principal, PrincipalKind
from runtime.purpose_of_use import PurposeOfUse

ACCESS = Access(files("patient_context").joinpath("policies.cedar").read_text())
CARE = {"TREAT", "HPAYMT", "HOPERAT"}
DESK = {"PATADMIN", "PATRQT"}
ANY = {purpose.value for purpose in PurposeOfUse} | {""}
TABLE: dict[str, dict[str, set[str]]] = {
    "findPatients": {
        "agent": CARE,
        "nurse": CARE,
        "supervisor": CARE,
        "registrar": DESK,
        "operator": DESK,
    },
    "findPatientsByNameAlone": {"registrar": DESK, "operator": DESK},
    "getPatientContext": {
        "agent": CARE,
        "nurse": CARE,
        "supervisor": CARE,
        "registrar": DESK,
        "operator": DESK,
    },
    "seeRegistration": {"registrar": DESK, "operator": DESK},
    "ingestResources": {"operator": ANY},
    "erasePatient": {"operator": ANY},
    "recordConsent": {"operator": ANY, "supervisor": ANY},
    "revokeConsent": {"operator": ANY, "supervisor": ANY},
}
CALLERS = (
    "agent",
    "nurse",
    "supervisor",
    "auditor",
    "registrar",
    "operator",
    "frontend",
    "service",
)


def _principal(who: str) -> Principal:
    tenants = frozenset({"demo"})
    if who == "operator":
        return Principal(PrincipalKind.OPERATOR, "operators/local", tenants)
    if who == "frontend":
        return Principal(PrincipalKind.FRONTEND, "serviceAccounts/1", tenants)
    if who == "service":
        return Principal(PrincipalKind.SERVICE, "services/identity", frozenset({"*"}))
    return Principal(PrincipalKind.AGENT, "agents/1", tenants, roles=frozenset({who}))


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("action", TABLE)
def test_each_caller_may_what_the_table_says_for_the_purposes_that_it_says(
    action: str, who: str
) -> None:
    principal = _principal(who)
    allowed = {
        purpose
        for purpose in ANY
        if ACCESS.decide_for(
            Asking(principal, "demo", PurposeOfUse(purpose) if purpose else None),
            f"patientContext.{action}",
        ).allowed
    }
    assert allowed == TABLE[action].get(who, set())


@pytest.mark.parametrize("tenant", ["other", "*"])
@pytest.mark.parametrize("action", TABLE)
def test_nobody_acts_for_another_tenant_or_for_all(action: str, tenant: str) -> None:
    for who in CALLERS:
        asking = Asking(_principal(who), tenant, PurposeOfUse.TREAT)
        assert not ACCESS.decide_for(asking, f"patientContext.{action}").allowed
