"""days of the last application"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BACKFILL = """
UPDATE invoices SET last_applied_on =
    (SELECT max(applied_on) FROM payment_applications WHERE invoice_id = invoices.id)
"""


def upgrade() -> None:
    op.add_column("invoices", sa.Column("last_applied_on", sa.Date(), nullable=True))
    op.execute(BACKFILL)
    op.create_index(
        "ix_invoices_moved",
        "invoices",
        ["last_applied_on", "invoice_date", "state", "customer_id", "due_date", "business_unit_id"],
    )
    op.drop_index(
        op.f("ix_payment_applications_applied_on_invoice_id_amount"), "payment_applications"
    )


def downgrade() -> None:
    op.create_index(
        op.f("ix_payment_applications_applied_on_invoice_id_amount"),
        "payment_applications",
        ["applied_on", "invoice_id", "amount"],
    )
    op.drop_index("ix_invoices_moved", "invoices")
    op.drop_column("invoices", "last_applied_on")
