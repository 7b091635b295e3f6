"""Credentials, sessions' keys, one-time codes, the list of agents, and the patients known.

Revision ID: 0001
"""

from eventstore.postgres.revision_scripts import first_build, run_scripts
from identity.adapters.agent_list import AgentListProjection

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_scripts(__file__)
    first_build(AgentListProjection)
