"""Conversations to list, what frontends are to send out, and one-time codes.

Revision ID: 0001
"""

from conversations.adapters.listing_projection import ListingProjection
from conversations.adapters.outbox_projection import OutboxProjection
from eventstore.postgres.revision_scripts import first_build, run_scripts

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_scripts(__file__)
    first_build(ListingProjection)
    first_build(OutboxProjection)
