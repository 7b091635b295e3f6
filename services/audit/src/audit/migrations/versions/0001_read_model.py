"""Accesses, actions and coverage.

Revision ID: 0001
"""

from audit.adapters.projection import TrailProjection
from eventstore.postgres.revision_scripts import first_build

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    first_build(TrailProjection)
