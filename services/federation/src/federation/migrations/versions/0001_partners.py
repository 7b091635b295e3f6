"""Partner keys, and what waits to be forwarded.

Revision ID: 0001
"""

from eventstore.postgres.revision_scripts import run_scripts

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_scripts(__file__)
