"""The tables beside the log, as migrations/ makes them."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

SCHEMA = "conversations"
metadata = MetaData(schema=SCHEMA)

conversation = Table(
    "conversation",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("conversation", Text, primary_key=True),
    Column("state", Text),
    Column("channels", ARRAY(Text)),
    Column("holder_kind", Text),
    Column("holder", Text),
    Column("epoch", Integer),
    Column("patient", Text),
    Column("caller_level", Text),
    Column("disposition", Text),
    Column("create_time", DateTime(timezone=True)),
    Column("close_time", DateTime(timezone=True)),
    Column("revision", BigInteger),
)

conversation_party = Table(
    "conversation_party",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("principal", Text, primary_key=True),
    Column("create_time", DateTime(timezone=True), primary_key=True),
    Column("conversation", Text, primary_key=True),
)

channel_address = Table(
    "channel_address",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("conversation", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("sealed_address", LargeBinary),
    Column("is_over", Boolean),
)

outbox = Table(
    "outbox",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("delivery", Text, primary_key=True),
    Column("conversation", Text),
    Column("message", Text),
    Column("channel", Text),
    Column("frontend", Text),
    Column("position", BigInteger),
    Column("status", Text),
    Column("sealed_text", LargeBinary),
    Column("expire_time", DateTime(timezone=True)),
    Column("report_time", DateTime(timezone=True)),
)

one_time_code = Table(
    "one_time_code",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("delivery", Text, primary_key=True),
    Column("conversation", Text),
    Column("channel", Text),
    Column("frontend", Text),
    Column("digest", LargeBinary),
    Column("sealed_address", LargeBinary),
    Column("sealed_code", LargeBinary),
    Column("expire_time", DateTime(timezone=True)),
)
