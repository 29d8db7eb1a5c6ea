"""money back: reasons that ask, and finding what was returned"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RETURNED = sa.text("returned_on IS NOT NULL")


def upgrade() -> None:
    op.execute("ALTER TABLE refund_reasons ADD COLUMN asks BOOLEAN DEFAULT false NOT NULL")
    op.create_index(
        "ix_payments_returned", "payments", ["returned_on"],
        sqlite_where=RETURNED, postgresql_where=RETURNED,
    )  # fmt: skip
    op.drop_index("ix_payments_received_on_amount", table_name="payments")
    op.create_index(
        "ix_payments_received_on_origin_amount", "payments", ["received_on", "origin", "amount"]
    )


def downgrade() -> None:
    raise NotImplementedError("Restore the backup that was made before the upgrade.")
