"""what asks for too much is computed; money in another currency, too much, or twice"""

import sqlalchemy as sa
from alembic import op

from portal.db.upgrading import change_promises

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FOUND = (
    "missing_here", "missing_there", "amount_differs", "refund_missing_here",
    "refund_missing_there",
)  # fmt: skip
SEEN_TO = ("other_currency", "other_amount", "overpaid", "given_back_twice")
CURRENCIES = ("test_checkouts", "gateway_movements")
TO_DETACH = "state = 'removed' AND detached_at IS NULL"
PROMISES = [
    ("gateway_differences", "ck_gateway_differences_differencekind",
     ("kind", FOUND), ("kind", (*FOUND, *SEEN_TO))),
]  # fmt: skip


def upgrade() -> None:
    op.drop_index("ix_payment_attempts_stale", "payment_attempts")
    op.drop_column("payment_attempts", "stale")
    for table in CURRENCIES:  # empty: it was not said; one currency was all there could be
        op.execute(f"ALTER TABLE {table} ADD COLUMN currency VARCHAR DEFAULT '' NOT NULL")
    change_promises(PROMISES)
    op.execute("ALTER TABLE payment_attempts ADD COLUMN failure_code VARCHAR DEFAULT '' NOT NULL")
    op.execute("ALTER TABLE planned_charges ADD COLUMN reason VARCHAR DEFAULT '' NOT NULL")
    op.execute("ALTER TABLE planned_charges ADD COLUMN reason_parts JSON DEFAULT '{}' NOT NULL")
    op.add_column("disputes", sa.Column("answer_kept_at", sa.DateTime()))
    op.add_column("attempt_shares", sa.Column("invoice_total", sa.BigInteger()))
    op.add_column("saved_methods", sa.Column("detached_at", sa.DateTime()))
    op.execute(  # what was removed so far was detached before it was marked
        "UPDATE saved_methods SET detached_at = CURRENT_TIMESTAMP WHERE state = 'removed'"
    )
    op.create_index(
        "ix_saved_methods_to_detach", "saved_methods", ["id"],
        sqlite_where=sa.text(TO_DETACH), postgresql_where=sa.text(TO_DETACH),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_saved_methods_to_detach", "saved_methods")
    op.drop_column("saved_methods", "detached_at")
    op.drop_column("attempt_shares", "invoice_total")
    op.drop_column("disputes", "answer_kept_at")
    op.drop_column("planned_charges", "reason_parts")
    op.drop_column("planned_charges", "reason")
    op.drop_column("payment_attempts", "failure_code")
    change_promises([(table, name, new, old) for table, name, old, new in PROMISES])
    for table in CURRENCIES:
        op.drop_column(table, "currency")
    op.execute("ALTER TABLE payment_attempts ADD COLUMN stale BOOLEAN DEFAULT FALSE NOT NULL")
    op.create_index(
        "ix_payment_attempts_stale", "payment_attempts", ["id"],
        sqlite_where=sa.text("stale"), postgresql_where=sa.text("stale"),
    )  # fmt: skip
