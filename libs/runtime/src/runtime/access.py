"""Who may do what: Cedar policies over principal, action, tenant, purpose and more."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

import cedarpy

from runtime.principal import Principal, PrincipalKind
from runtime.purpose_of_use import PurposeOfUse
from runtime.refusal import Refused
from runtime.request_context import current_request

_log = logging.getLogger(__name__)
Attribute = str | bool | int | Sequence[str]
_MOST_REMEMBERED: Final = 4096
_TYPE_OF: Final = {
    PrincipalKind.AGENT: "Agent",
    PrincipalKind.FRONTEND: "Frontend",
    PrincipalKind.SERVICE: "Service",
    PrincipalKind.OPERATOR: "Operator",
}


class PoliciesInvalid(Exception):
    """The policies do not parse, or name an action that nobody asks for."""


@dataclass(frozen=True, slots=True)
class Asking:
    """On whose behalf a decision is asked for."""

    principal: Principal | None
    tenant: str
    purpose: PurposeOfUse | None
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """What a decision is about, as policies see it: "Patient" with an id and attributes."""

    kind: str
    id: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, by which policies (their @id), under which obligations.

    Obligations are the words of the determining policies' @obligation, as "mask:address".
    """

    allowed: bool
    policies: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()


class Access:
    """Decides by a fixed set of policies; whatever none permits is denied.

    A policy whose evaluation fails denies, for one that forbids would otherwise be skipped.
    """

    def __init__(self, service_policies: str) -> None:
        runtime_policies = files(__package__).joinpath("policies.cedar").read_text()
        text = f"{runtime_policies}\n{service_policies}"
        try:
            self._policies = cedarpy.PolicySet.from_str(text)
            parsed = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
        except ValueError as error:
            raise PoliciesInvalid(f"the policies do not parse: {error}") from None
        self._annotations: dict[str, dict[str, str]] = {
            name: policy.get("annotations", {}) for name, policy in parsed.items()
        }
        unnamed = [name for name, notes in self._annotations.items() if not notes.get("id")]
        if unnamed:
            raise PoliciesInvalid(f"{len(unnamed)} policies lack an @id; give them one")
        self._calls: dict[tuple[Asking, str], Decision] = {}
        self.actions = frozenset(_actions_in(list(parsed.values())))

    def decide(
        self, action: str, resource: Resource | None = None, **context: Attribute
    ) -> Decision:
        """Decide for the current request, with what the case adds to the policies' context."""
        request = current_request()
        asking = Asking(request.principal, request.tenant, request.purpose)
        return self.decide_for(asking, action, resource, context)

    def require(
        self, action: str, resource: Resource | None = None, **context: Attribute
    ) -> Decision:
        """Decide as `decide` does; raises Refused as denied or absent."""
        decision = self.decide(action, resource, **context)
        if not decision.allowed:
            raise Refused("DENIED_OR_ABSENT")
        return decision

    def decide_call(self, asking: Asking, action: str) -> Decision:
        """Decide on a call as such, about its tenant; remembered, for policies do not change."""
        remembered = self._calls.get((asking, action))
        if remembered is None:
            remembered = self.decide_for(asking, action)
            while len(self._calls) >= _MOST_REMEMBERED:
                del self._calls[next(iter(self._calls))]
            self._calls[asking, action] = remembered
        return remembered

    def decide_for(
        self,
        asking: Asking,
        action: str,
        resource: Resource | None = None,
        context: Mapping[str, Attribute] | None = None,
    ) -> Decision:
        """Decide on somebody's behalf about a resource, its tenant if none is given."""
        on = resource or Resource("Tenant", asking.tenant)
        subject, about = _principal_entity(asking.principal), _entity(on.kind, on.id, on.attributes)
        entities = [subject, about]
        if subject["uid"] == about["uid"]:
            entities = [{**subject, "attrs": about["attrs"] | subject["attrs"]}]
        result = cedarpy.is_authorized(
            {
                "principal": subject["uid"],
                "action": {"type": "Action", "id": action},
                "resource": about["uid"],
                "context": {
                    **(context or {}),
                    "tenant": asking.tenant,
                    "purpose": asking.purpose or "",
                    "anonymous": asking.anonymous,
                },
            },
            self._policies,
            entities,
        )
        if result.diagnostics.errors:
            _log.error(
                "a policy failed", extra={"action": action, "count": len(result.diagnostics.errors)}
            )
            return Decision(allowed=False)
        return self._decision(result.allowed, result.diagnostics.reasons)

    def _decision(self, allowed: bool, reasons: Sequence[str]) -> Decision:
        notes = [self._annotations[reason] for reason in sorted(reasons)]
        obligations = {
            word.strip()
            for note in notes
            for word in note.get("obligation", "").split(",")
            if word.strip()
        }
        return Decision(allowed, tuple(note["id"] for note in notes), tuple(sorted(obligations)))


def check_actions(access: Access, served: set[str], decided: set[str]) -> None:
    """Refuse policies that name an action neither served nor decided in code: it is mistyped.

    Raises PoliciesInvalid.
    """
    stray = access.actions - served - decided - {"log.read", "log.head"}
    if stray:
        raise PoliciesInvalid(f"no method has the actions {sorted(stray)}; correct the policies")


def _principal_entity(principal: Principal | None) -> dict[str, Any]:
    if principal is None:
        return _entity("Anonymous", "", {"roles": [], "channels": [], "tenants": []})
    return _entity(
        _TYPE_OF[principal.kind],
        principal.name,
        {
            "roles": sorted(principal.roles),
            "channels": sorted(principal.channels),
            "tenants": sorted(principal.tenants),
        },
    )


def _entity(kind: str, identifier: str, attributes: Mapping[str, Attribute]) -> dict[str, Any]:
    return {"uid": {"type": kind, "id": identifier}, "attrs": dict(attributes), "parents": []}


def _actions_in(node: object) -> set[str]:
    """Collect the ids of all Action entities in the JSON form of policies."""
    if isinstance(node, list):
        return {name for part in node for name in _actions_in(part)}
    if not isinstance(node, dict):
        return set()
    if node.get("type") == "Action" and isinstance(node.get("id"), str):
        return {node["id"]}
    return {name for part in node.values() for name in _actions_in(part)}
