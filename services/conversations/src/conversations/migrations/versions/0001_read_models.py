"""Conversations to list, what frontends are to send out, and one-time codes.

Revision ID: 0001
"""

from runtime.database.migrations import run_script_of_revision

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script_of_revision(__file__)
