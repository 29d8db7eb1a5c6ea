"""indexes that cover the lists of invoices and of payments without a batch"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OPEN = "state = 'pending'"
# Table, index, what it was (columns, rows), what it is from now on.
CHANGED = [
    ("invoices", "ix_invoices_invoice_date_id", (["invoice_date", "id"], None), None),
    ("invoices", "ix_invoices_state_invoice_date_id",
     (["state", "invoice_date", "id"], None), None),
    ("invoices", "ix_invoices_listed", None,
     (["invoice_date", "id", "state", "total", "balance", "review_state", "sent_state",
       "sync_state", "kind", "batch_id", "due_date", "business_unit_id", "type_id"], None)),
    ("invoices", "ix_invoices_pending",
     (["review_state", "invoice_date", "total", "sent_state", "balance"], OPEN),
     (["review_state", "invoice_date", "total", "sent_state", "balance", "batch_id", "job_id",
       "review_assignee_id"], OPEN)),
    ("invoices", "ix_invoices_moved",
     (["last_applied_on", "invoice_date", "state", "customer_id", "due_date",
       "business_unit_id"], None),
     (["last_applied_on", "invoice_date", "state", "customer_id", "due_date",
       "business_unit_id", "balance"], None)),
    ("invoices", "ix_invoices_batched", (["batch_id"], "batch_id IS NOT NULL"),
     (["batch_id", "id", "kind", "total", "balance", "state"], "batch_id IS NOT NULL")),
    ("invoices", "ix_invoices_adjusts_id", (["adjusts_id"], None),
     (["adjusts_id"], "adjusts_id IS NOT NULL")),
    ("invoices", "ix_invoices_transfers_id", (["transfers_id"], None),
     (["transfers_id"], "transfers_id IS NOT NULL")),
    ("payments", "ix_payments_unbatched", None,
     (["received_on", "id", "origin"], f"{OPEN} AND batch_id IS NULL")),
]  # fmt: skip


def upgrade() -> None:
    for table, name, old, new in CHANGED:
        _replace(table, name, old, new)


def downgrade() -> None:
    for table, name, old, new in CHANGED:
        _replace(table, name, new, old)


def _replace(table, name, old, new) -> None:
    if old:
        op.drop_index(name, table_name=table)
    if new:
        columns, rows = new
        where = sa.text(rows) if rows else None
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
