"""planned charges remember that a person called them off"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE planned_charges ADD COLUMN called_off BOOLEAN DEFAULT FALSE NOT NULL")


def downgrade() -> None:
    op.drop_column("planned_charges", "called_off")
