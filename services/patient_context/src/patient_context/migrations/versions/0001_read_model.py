"""Patients, their records, consents and index tokens, and erasures that are not done.

Revision ID: 0001
"""

from eventstore.postgres.revision_scripts import first_build
from patient_context.adapters.read_model.projection import PatientProjection

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    first_build(PatientProjection)
