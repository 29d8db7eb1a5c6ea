"""what a text gateway called a message, and when a paper was printed"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = [
    ("messages", "outside_ref VARCHAR DEFAULT '' NOT NULL"),
    ("sending_items", "printed_at TIMESTAMP"),
]
NOT_PRINTED = sa.text("state = 'to_print' AND printed_at IS NULL")


def upgrade() -> None:
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    op.create_index(
        "ix_sending_items_to_print", "sending_items", ["invoice_id"],
        sqlite_where=NOT_PRINTED, postgresql_where=NOT_PRINTED,
    )  # fmt: skip
