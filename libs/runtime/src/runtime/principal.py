"""Who calls."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from careline.log.v1 import recorded_event_pb2 as log_pb2

from runtime.tenant import ALL_TENANTS


class PrincipalKind(StrEnum):
    """What sort of principal, as tokens spell it."""

    AGENT = "agent"
    FRONTEND = "frontend"
    SERVICE = "service"
    OPERATOR = "operator"


COLLECTION_OF: Final = {
    PrincipalKind.AGENT: "agents",
    PrincipalKind.FRONTEND: "serviceAccounts",
    PrincipalKind.SERVICE: "services",
    PrincipalKind.OPERATOR: "operators",
}
_PROTO_OF: Final = {
    PrincipalKind.AGENT: log_pb2.PRINCIPAL_KIND_AGENT,
    PrincipalKind.FRONTEND: log_pb2.PRINCIPAL_KIND_FRONTEND,
    PrincipalKind.SERVICE: log_pb2.PRINCIPAL_KIND_SERVICE,
    PrincipalKind.OPERATOR: log_pb2.PRINCIPAL_KIND_OPERATOR,
}
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    `name` is a resource name, as "agents/0197...". `tenants` are those that it may act for; a
    service's may be ALL_TENANTS alone. `session` is the identity session, empty for services.
    """

    kind: PrincipalKind
    name: str
    tenants: frozenset[str]
    roles: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    session: str = ""

    def may_act_for(self, tenant: str) -> bool:
        return tenant in self.tenants or self.tenants == {ALL_TENANTS}

    def actor(self) -> log_pb2.Actor:
        return log_pb2.Actor(kind=_PROTO_OF[self.kind], name=self.name)


def service_principal(service: str) -> Principal:
    """Give the principal that a service acts as by itself, for all tenants."""
    kind = PrincipalKind.SERVICE
    return Principal(kind, f"{COLLECTION_OF[kind]}/{service}", frozenset({ALL_TENANTS}))


def is_name_of(kind: PrincipalKind, name: str) -> bool:
    """Tell whether `name` is a resource name that a principal of this kind may have."""
    collection, separator, identifier = name.partition("/")
    return (
        separator == "/"
        and collection == COLLECTION_OF[kind]
        and _ID.fullmatch(identifier) is not None
    )
