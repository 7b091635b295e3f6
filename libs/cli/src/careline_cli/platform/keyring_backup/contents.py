"""What a keyring holds, in numbers that only ever grow, so that two can be compared."""

from dataclasses import dataclass

from embedded import PostgresServer
from sqlalchemy import text

from careline_cli.provision.provisioned import KEYRING_DATABASE, superuser_engine


@dataclass(frozen=True, slots=True)
class Contents:
    """Tenant keys, data keys that were ever made (those erased, too), and tombstones."""

    tenant_keys: int
    data_keys: int
    tombstones: int

    def within(self, least: "Contents", most: "Contents") -> bool:
        return (
            least.tenant_keys <= self.tenant_keys <= most.tenant_keys
            and least.data_keys <= self.data_keys <= most.data_keys
            and least.tombstones <= self.tombstones <= most.tombstones
        )


async def contents(server: PostgresServer) -> Contents:
    counted = text(
        "select (select count(*) from keyring.tenant_key) as tenant_keys, "
        "(select count(*) from keyring.data_key) + "
        "(select count(key_id) from keyring.tombstone) as data_keys, "
        "(select count(*) from keyring.tombstone) as tombstones"
    )
    async with superuser_engine(server, KEYRING_DATABASE) as engine, engine.connect() as connection:
        row = (await connection.execute(counted)).one()
    return Contents(row.tenant_keys, row.data_keys, row.tombstones)
