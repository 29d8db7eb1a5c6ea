"""hints of imports"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE import_runs ADD COLUMN hints JSON DEFAULT '[]' NOT NULL")


def downgrade() -> None:
    op.drop_column("import_runs", "hints")
