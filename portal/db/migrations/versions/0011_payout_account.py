"""the bank account payouts arrive in"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE companies ADD COLUMN payout_account_id INTEGER "
        "CONSTRAINT fk_companies_payout_account_id REFERENCES accounts (id)"
    )


def downgrade() -> None:
    raise NotImplementedError("Restore the backup that was made before the upgrade.")
