"""account activity in order"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OLD = "ix_journal_lines_account_id_entry_date_amount"
NEW = "ix_journal_lines_account_id_entry_date_id_amount"


def upgrade() -> None:
    op.create_index(op.f(NEW), "journal_lines", ["account_id", "entry_date", "id", "amount"])
    op.drop_index(op.f(OLD), "journal_lines")


def downgrade() -> None:
    op.create_index(op.f(OLD), "journal_lines", ["account_id", "entry_date", "amount"])
    op.drop_index(op.f(NEW), "journal_lines")
