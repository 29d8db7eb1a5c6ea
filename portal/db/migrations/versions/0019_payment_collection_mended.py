"""what asks for too much is computed, not marked"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_payment_attempts_stale", "payment_attempts")
    op.drop_column("payment_attempts", "stale")


def downgrade() -> None:
    op.execute("ALTER TABLE payment_attempts ADD COLUMN stale BOOLEAN DEFAULT FALSE NOT NULL")
    op.create_index(
        "ix_payment_attempts_stale", "payment_attempts", ["id"],
        sqlite_where=sa.text("stale"), postgresql_where=sa.text("stale"),
    )  # fmt: skip
