"""The read model's tables, as migrations/ makes them."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)

metadata = MetaData(schema="patient_context")

patient = Table(
    "patient",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("event_id", Uuid),
    Column("type", Text),
    Column("data", LargeBinary),
)

record_part = Table(
    "record_part",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("content_digest", LargeBinary, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("parts", Integer),
    Column("position", BigInteger),
    Column("event_id", Uuid),
    Column("data", LargeBinary),
)

consent = Table(
    "consent",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("consent", Text, primary_key=True),
    Column("event_id", Uuid),
    Column("data", LargeBinary),
)

patient_token = Table(
    "patient_token",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("token", LargeBinary, primary_key=True),
    Column("patient", Text, primary_key=True),
)

pending_erasure = Table(
    "pending_erasure",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("event_id", Uuid),
    Column("request_time", DateTime(timezone=True)),
)
