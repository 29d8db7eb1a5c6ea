"""closing balances and hints of imports"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE import_runs ADD COLUMN hints JSON DEFAULT '[]' NOT NULL")
    op.create_table(
        "closing_balances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_closing_balances_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing_balances")),
        sa.UniqueConstraint(
            "ends_on", "account_id", name=op.f("uq_closing_balances_ends_on_account_id")
        ),
    )


def downgrade() -> None:
    op.drop_table("closing_balances")
    op.drop_column("import_runs", "hints")
