"""Federation's own tables, as migrations/ makes them."""

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="federation")

partner_key = Table(
    "partner_key",
    metadata,
    Column("partner_key", Text, primary_key=True),
    Column("tenant", Text),
    Column("partner", Text),
)

forwarding = Table(
    "forwarding",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("partner", Text, primary_key=True),
    Column("sequence", BigInteger),
    Column("delivered", BigInteger),
    Column("epoch", BigInteger),
    Column("position", BigInteger),
    Column("previous_position", BigInteger),
)

outgoing = Table(
    "outgoing",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("partner", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("subject", Text),
    Column("headers", JSONB),
    Column("data", LargeBinary),
)
