"""Keys, links and tombstones."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SCHEMA = "keyring"
TENANT = "tenant ~ '^[a-z][a-z0-9-]{1,31}$'"
READABLE = ("tenant_key", "data_key", "link", "tombstone")
TABLES = (*READABLE, "erasure", "kept")
FINAL = ("tombstone", "erasure", "kept")


def upgrade() -> None:
    _keys()
    _links()
    _erasures()
    _rights()
    for table in TABLES:
        op.execute(f"ALTER TABLE {SCHEMA}.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_tenant ON {SCHEMA}.{table} "
            "USING (tenant = current_setting('careline.tenant', true)) "
            "WITH CHECK (tenant = current_setting('careline.tenant', true))"
        )
    _finality()


def downgrade() -> None:
    raise NotImplementedError("a keyring is never undone: its loss is the loss of all sealed data")


def _keys() -> None:
    op.create_table(
        "tenant_key",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("wrapped", sa.Text, nullable=False),
        _time("created_at"),
        sa.CheckConstraint(TENANT, name="tenant_is_a_slug"),
        schema=SCHEMA,
    )
    op.create_table(
        "data_key",
        sa.Column("key_id", sa.Uuid, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("tenant_key_version", sa.Integer, nullable=False),
        _time("created_at"),
        sa.UniqueConstraint("tenant", "subject", name="one_key_a_subject"),
        sa.ForeignKeyConstraint(
            ("tenant", "tenant_key_version"),
            (f"{SCHEMA}.tenant_key.tenant", f"{SCHEMA}.tenant_key.version"),
        ),
        schema=SCHEMA,
    )


def _links() -> None:
    op.create_table(
        "link",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("patient", sa.Text, primary_key=True),
        _time("linked_at"),
        sa.CheckConstraint(TENANT, name="tenant_is_a_slug"),
        sa.CheckConstraint("subject <> patient", name="not_to_itself"),
        sa.Index("link_patient", "tenant", "patient"),
        schema=SCHEMA,
    )


def _erasures() -> None:
    op.create_table(
        "erasure",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("patient", sa.Text, nullable=False),
        _time("erased_at"),
        sa.CheckConstraint(TENANT, name="tenant_is_a_slug"),
        schema=SCHEMA,
    )
    of_request = (f"{SCHEMA}.erasure.tenant", f"{SCHEMA}.erasure.request_id")
    op.create_table(
        "tombstone",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("key_id", sa.Uuid, unique=True),
        _time("erased_at"),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(("tenant", "request_id"), of_request),
        sa.Index("tombstone_request", "tenant", "request_id"),
        schema=SCHEMA,
    )
    op.create_table(
        "kept",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("patient", sa.Text, primary_key=True),
        sa.ForeignKeyConstraint(("tenant", "request_id"), of_request),
        schema=SCHEMA,
    )


def _rights() -> None:
    for grant in (
        f"USAGE ON SCHEMA {SCHEMA} TO keyring_runtime, keyring_eraser",
        f"SELECT, INSERT ON {SCHEMA}.tenant_key, {SCHEMA}.data_key TO keyring_runtime",
        f"SELECT, INSERT, DELETE ON {SCHEMA}.link TO keyring_runtime",
        f"SELECT ON {SCHEMA}.tombstone TO keyring_runtime",
        # Enough to find a key and delete it, not to read it.
        f"SELECT (key_id, tenant, subject), DELETE ON {SCHEMA}.data_key TO keyring_eraser",
        f"SELECT ON {SCHEMA}.link TO keyring_eraser",
        f"SELECT, INSERT ON {SCHEMA}.erasure, {SCHEMA}.tombstone, {SCHEMA}.kept TO keyring_eraser",
    ):
        op.execute(f"GRANT {grant}")


def _finality() -> None:
    """Keep erased what was erased, whoever is logged in."""
    op.execute(
        f"CREATE FUNCTION {SCHEMA}.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'an erasure is final: % of % is refused', TG_OP, TG_TABLE_NAME; "
        "END $$"
    )
    for table in FINAL:
        op.execute(
            f"CREATE TRIGGER final BEFORE UPDATE OR DELETE OR TRUNCATE ON {SCHEMA}.{table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.refuse()"
        )


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
