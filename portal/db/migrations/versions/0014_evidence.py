"""refunds through the gateway remember which invoice they were taken off"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE gateway_refunds ADD COLUMN invoice_id INTEGER "
        "CONSTRAINT fk_gateway_refunds_invoice_id REFERENCES invoices (id)"
    )


def downgrade() -> None:
    raise NotImplementedError("Restore the backup that was made before the upgrade.")
