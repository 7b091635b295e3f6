"""Decisions by Cedar policies."""

import time

import pytest
from runtime.access import Access, Asking, PoliciesInvalid, Resource, check_actions
from runtime.principal import Principal, PrincipalKind, service_principal
from runtime.purpose_of_use import PurposeOfUse
from runtime.refusal import Refused
from runtime.request_context import NoRequest, RequestContext, acting_in

AGENT = Principal(
    PrincipalKind.AGENT, "agents/1", frozenset({"demo"}), frozenset({"agent", "nurse"})
)
POLICIES = """
@id("read-own-patients")
@obligation("mask:address, notice")
permit (principal is Agent, action == Action::"patientContext.readClinical", resource is Patient)
when { context.caller_level >= 2 && resource.labels.contains("general") };

@id("nurses-see-more")
@obligation("step_up")
permit (principal is Agent, action == Action::"patientContext.readClinical", resource is Patient)
when { principal.roles.contains("nurse") && context.caller_level >= 1 };

@id("never-part-two")
forbid (principal, action == Action::"patientContext.readClinical", resource is Patient)
when { resource.labels.contains("part2") };
"""
READ = "patientContext.readClinical"


def _asking(principal: Principal | None = AGENT, tenant: str = "demo") -> Asking:
    return Asking(principal, tenant, PurposeOfUse.TREAT)


def _patient(*labels: str) -> Resource:
    return Resource("Patient", "patients/1", {"labels": list(labels)})


def test_obligations_come_from_all_policies_that_permit() -> None:
    access = Access(POLICIES)

    decision = access.decide_for(_asking(), READ, _patient("general"), {"caller_level": 2})

    assert decision.allowed
    assert set(decision.policies) == {"read-own-patients", "nurses-see-more"}
    assert decision.obligations == ("mask:address", "notice", "step_up")


def test_what_forbids_wins_and_is_named() -> None:
    access = Access(POLICIES)

    decision = access.decide_for(_asking(), READ, _patient("general", "part2"), {"caller_level": 3})

    assert not decision.allowed
    assert decision.policies == ("never-part-two",)


def test_what_nobody_permits_is_denied() -> None:
    decision = Access(POLICIES).decide_for(_asking(), READ, _patient(), {"caller_level": 0})

    assert not decision.allowed


def test_a_policy_that_can_not_be_evaluated_denies(caplog: pytest.LogCaptureFixture) -> None:
    decision = Access(POLICIES).decide_for(_asking(), READ, _patient("general"))

    assert not decision.allowed
    assert "a policy failed" in caplog.text


def test_no_context_that_a_case_adds_replaces_tenant_or_purpose() -> None:
    access = Access('@id("a") permit (principal, action, resource) when { context.tenant == "b" };')

    decision = access.decide_for(_asking(), "x.y", None, {"tenant": "b", "anonymous": True})

    assert not decision.allowed


@pytest.mark.parametrize(
    ("principal", "tenant", "allowed"),
    [
        (AGENT, "demo", True),
        (AGENT, "other", False),
        (AGENT, "*", False),
        (service_principal("routing"), "demo", True),
        (service_principal("routing"), "*", True),
        (None, "demo", False),
    ],
)
def test_nobody_acts_for_a_tenant_that_is_not_his(
    principal: Principal | None, tenant: str, allowed: bool
) -> None:
    access = Access('@id("all") permit (principal, action, resource);')

    assert access.decide_for(_asking(principal, tenant), "x.y").allowed is allowed


def test_logs_are_read_by_services_and_by_operators_of_one_tenant() -> None:
    access = Access("")
    operator = Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({"demo", "other"}))

    def may(principal: Principal, tenant: str) -> bool:
        return access.decide_for(_asking(principal, tenant), "log.read").allowed

    assert may(service_principal("audit"), "*")
    assert may(operator, "demo")
    assert not may(operator, "*")
    assert not may(operator, "third")
    assert not may(AGENT, "demo")


def test_a_decision_in_code_is_about_the_current_request() -> None:
    access = Access(POLICIES)
    request = RequestContext("a", "m", AGENT, "demo", PurposeOfUse.TREAT, 0, "c")

    with pytest.raises(NoRequest):
        access.decide(READ)
    with acting_in(request):
        assert access.require(READ, _patient("general"), caller_level=2).allowed
        with pytest.raises(Refused, match="DENIED_OR_ABSENT"):
            access.require(READ, _patient("part2"), caller_level=2)


def test_an_action_about_oneself_is_decided() -> None:
    access = Access(
        '@id("own") permit (principal is Agent, action == Action::"x.y", resource is Agent)'
        " when { resource == principal && resource.active };"
    )
    oneself = Resource("Agent", AGENT.name, {"active": True})

    assert access.decide_for(_asking(), "x.y", oneself).allowed


@pytest.mark.parametrize(
    ("policies", "complaint"),
    [
        ("permit (principal, action, resource", "do not parse"),
        ("permit (principal, action, resource);", "lack an @id"),
    ],
)
def test_policies_that_are_wrong_are_refused_at_start(policies: str, complaint: str) -> None:
    with pytest.raises(PoliciesInvalid, match=complaint):
        Access(policies)


def test_an_action_that_nobody_asks_for_is_refused_at_start() -> None:
    access = Access(POLICIES)

    check_actions(access, set(), {READ})
    with pytest.raises(PoliciesInvalid, match="readClinical"):
        check_actions(access, {"patientContext.getPatientContext"}, set())


def test_a_decision_costs_well_under_a_millisecond() -> None:
    access = Access(POLICIES)
    asking, patient = _asking(), _patient("general")
    rounds = 500

    started = time.perf_counter()
    for _ in range(rounds):
        access.decide_for(asking, READ, patient, {"caller_level": 2})

    assert (time.perf_counter() - started) / rounds < 0.001
