"""The log, its fence, its tenants and its builds of projections.

Revision ID: 0001
"""

from eventstore.postgres.revision_scripts import run_scripts, schema_of_revision
from eventstore.postgres.statements import log_number

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_scripts(__file__, log_number=str(log_number(schema_of_revision())))
