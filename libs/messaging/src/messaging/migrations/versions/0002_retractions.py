"""What consumers handled that a restored log no longer has.

Revision ID: 0002
"""

from eventstore.postgres.revision_scripts import run_scripts

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_scripts(__file__)
