"""The log on PostgreSQL keeps all promises, seen by its runtime role."""

from collections.abc import AsyncIterator

import pytest
from conftest import CreateDatabase
from eventstore.postgres import PostgresEventLog
from eventstore.testing.conformance import EventLogConformance
from eventstore.testing.conformance_builds import BuildConformance
from eventstore.testing.conformance_projections import ProjectionConformance, ProjectionStore
from integration.eventstore.log_rig import LogDatabase, LogSchema, log_database


@pytest.fixture(scope="module")
async def log_db(create_database: CreateDatabase) -> AsyncIterator[LogDatabase]:
    async with log_database(create_database) as database:
        yield database


@pytest.fixture
async def schema(log_db: LogDatabase) -> AsyncIterator[LogSchema]:
    async with log_db.schema() as schema:
        yield schema


class TestPostgresEventLog(EventLogConformance, ProjectionConformance, BuildConformance):
    @pytest.fixture
    async def log(self, schema: LogSchema) -> AsyncIterator[PostgresEventLog]:
        async with PostgresEventLog(schema.engine, schema.name) as log:
            yield log

    @pytest.fixture
    async def rival(self, schema: LogSchema) -> AsyncIterator[PostgresEventLog]:
        async with PostgresEventLog(schema.rival_engine, schema.name) as log:
            yield log

    @pytest.fixture
    def projection_store(self, schema: LogSchema) -> ProjectionStore:
        return ProjectionStore(
            schema.superuser, schema.engine, schema.name, schema.owner_role, schema.runtime_role
        )
