"""The read model's tables, as migrations/ makes them."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

metadata = MetaData(schema="audit")

access = Table(
    "access",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("event_id", Uuid),
    Column("record", Text),
    Column("patient", Text),
    Column("recipient_kind", SmallInteger),
    Column("recipient", Text),
    Column("action", Text),
    Column("purpose_of_use", Text),
    Column("resource_types", ARRAY(Text)),
    Column("conversation", Text),
    Column("caller_level", Text),
    Column("disclose_time", DateTime(timezone=True)),
    Column("trace_id", Text),
)

action = Table(
    "action",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("event_id", Uuid),
    Column("type", Text),
    Column("stream", Text),
    Column("actor_kind", SmallInteger),
    Column("actor", Text),
    Column("action", Text),
    Column("purpose_of_use", Text),
    Column("record_time", DateTime(timezone=True)),
    Column("trace_id", Text),
)

coverage = Table(
    "coverage",
    metadata,
    Column("service", Text, primary_key=True),
    Column("epoch", BigInteger),
    Column("position", BigInteger),
    Column("take_in_time", DateTime(timezone=True)),
)
