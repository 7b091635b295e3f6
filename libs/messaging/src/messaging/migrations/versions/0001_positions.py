"""How far relay and consumers have come, and what they could not handle.

Revision ID: 0001
"""

from importlib.resources import files

from alembic import context, op
from eventstore.postgres.run_script import run_script
from eventstore.postgres.statements import fill, identifier

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the files beside this one in order, each as one script."""
    places = {
        "schema": identifier(context.config.attributes["schema"]),
        "runtime_role": identifier(context.config.attributes["runtime_role"]),
    }
    folder = files("messaging") / "migrations" / "versions" / "0001_positions"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        run_script(op.get_bind(), fill(file, places))
