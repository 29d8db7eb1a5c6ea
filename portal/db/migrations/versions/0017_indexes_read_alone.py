"""indexes that answer counts without their table, and invoices by total"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

OPEN = "state = 'pending'"
# SQLite reads the table for a column of the index's own condition, unless the index holds it.
# Table, index, its columns, those that come, which rows.
WIDENED = [
    ("invoices", "ix_invoices_pending",
     ["review_state", "invoice_date", "total", "sent_state", "balance", "batch_id", "job_id",
      "review_assignee_id"], ["state"], OPEN),
    ("payments", "ix_payments_unbatched", ["received_on", "id", "origin"], ["state", "batch_id"],
     f"{OPEN} AND batch_id IS NULL"),
]  # fmt: skip


def upgrade() -> None:
    for table, name, columns, more, rows in WIDENED:
        _make_anew(table, name, columns + more, rows)
    op.create_index("ix_invoices_by_total", "invoices", ["total", "id"])


def downgrade() -> None:
    op.drop_index("ix_invoices_by_total", table_name="invoices")
    for table, name, columns, _more, rows in WIDENED:
        _make_anew(table, name, columns, rows)


def _make_anew(table, name, columns, rows) -> None:
    op.drop_index(name, table_name=table)
    where = sa.text(rows)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
