"""NATS's operator and users, kept in Vault; streams and durable consumers on the server."""

import json
from collections.abc import Iterable, Mapping

from messaging.accounts import NatsOperator
from messaging.connect import connect
from messaging.names import Consumption
from messaging.permissions import provisioner_permissions, service_permissions
from messaging.streams import Drift, provision

from careline_cli.provision.vault import VaultProvisioner

OPERATOR_SECRET = "careline/nats/operator"  # noqa: S105 - a path, no secret
PROVISIONER = "provisioner"


def user_secret(user: str) -> str:
    return f"careline/nats/{user}"


def keep_operator(vault: VaultProvisioner, operator: NatsOperator) -> None:
    vault.put_secret(OPERATOR_SECRET, {"seeds": json.dumps(operator.seeds())})


def kept_operator(vault: VaultProvisioner) -> NatsOperator:
    """Take up the operator that was kept; raises hvac's InvalidPath when there is none."""
    seeds: Mapping[str, Mapping[str, str]] = json.loads(vault.secret(OPERATOR_SECRET)["seeds"])
    return NatsOperator.from_seeds(seeds)


def keep_users(
    vault: VaultProvisioner,
    operator: NatsOperator,
    services: Iterable[str],
    consumptions: Iterable[Consumption],
) -> None:
    """Make a user a service, which may do what its relay and its consumers need."""
    consumed = tuple(consumptions)
    for service in services:
        own = [one for one in consumed if one.service == service]
        credentials = operator.platform.credentials(service, service_permissions(service, own))
        vault.put_secret(user_secret(service), {"creds": credentials.text})


async def make_streams(
    operator: NatsOperator,
    url: str,
    services: Iterable[str],
    consumptions: Iterable[Consumption],
) -> tuple[Drift, ...]:
    """Make what is absent of streams and consumers, and say where the others drifted."""
    user = operator.platform.credentials(PROVISIONER, provisioner_permissions(PROVISIONER))
    async with await connect([url], user=PROVISIONER, creds=user.text) as client:
        return await provision(client.jetstream(), services, consumptions)
