"""The log, its fence, its tenants and its checkpoints.

Revision ID: 0001
"""

from importlib.resources import files

from alembic import context, op
from eventstore.postgres.run_script import run_script
from eventstore.postgres.statements import fill, identifier, log_number

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the files beside this one in order, each as one script."""
    schema = context.config.attributes["schema"]
    places = {
        "schema": identifier(schema),
        "runtime_role": identifier(context.config.attributes["runtime_role"]),
        "log_number": str(log_number(schema)),
    }
    folder = files("eventstore.postgres") / "migrations" / "versions" / "0001_log"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        run_script(op.get_bind(), fill(file, places))
