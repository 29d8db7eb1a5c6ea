"""what a text gateway called a message, and when a paper was printed"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NOT_PRINTED = sa.text("state = 'to_print' AND printed_at IS NULL")


def upgrade() -> None:
    op.execute("ALTER TABLE messages ADD COLUMN outside_ref VARCHAR DEFAULT '' NOT NULL")
    op.add_column("sending_items", sa.Column("printed_at", sa.DateTime()))
    op.create_index(
        "ix_sending_items_to_print", "sending_items", ["invoice_id"],
        sqlite_where=NOT_PRINTED, postgresql_where=NOT_PRINTED,
    )  # fmt: skip
