"""Fixtures of the event store's tests: a database a module, a log a test."""

from collections.abc import AsyncIterator

import pytest
from conftest import CreateDatabase
from eventstore.postgres import PostgresEventLog
from integration.eventstore.log_rig import LogDatabase, LogSchema, log_database


@pytest.fixture(scope="module")
async def log_db(create_database: CreateDatabase) -> AsyncIterator[LogDatabase]:
    async with log_database(create_database) as database:
        yield database


@pytest.fixture
async def schema(log_db: LogDatabase) -> AsyncIterator[LogSchema]:
    async with log_db.schema() as schema:
        yield schema


@pytest.fixture
async def log(schema: LogSchema) -> AsyncIterator[PostgresEventLog]:
    async with PostgresEventLog(schema.engine, schema.name) as log:
        yield log
