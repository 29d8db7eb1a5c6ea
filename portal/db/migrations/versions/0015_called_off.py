"""planned charges remember that a person called them off"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE planned_charges ADD COLUMN called_off BOOLEAN DEFAULT FALSE NOT NULL")
    op.execute(
        "UPDATE planned_charges SET called_off = TRUE WHERE state = 'cancelled' AND "
        "(outcome LIKE 'Cancelled by %' OR outcome LIKE 'Cancelled in the portal by %')"
    )


def downgrade() -> None:
    op.drop_column("planned_charges", "called_off")
