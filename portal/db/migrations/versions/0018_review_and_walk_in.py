"""only reviewed ones are posted, who walks in, what was sent said, what a return took off"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE companies ADD COLUMN only_reviewed_posts BOOLEAN DEFAULT FALSE NOT NULL"
    )
    op.execute(
        "ALTER TABLE companies ADD COLUMN walk_in_zone_id INTEGER "
        "CONSTRAINT fk_companies_walk_in_zone_id_tax_zones REFERENCES tax_zones (id)"
    )
    op.execute("ALTER TABLE invoices ADD COLUMN sent_total BIGINT")
    op.execute("ALTER TABLE invoices ADD COLUMN sent_number VARCHAR")
    # What was sent before stays unknown: nobody wrote down what it said.
    instant = "TIMESTAMP" if op.get_bind().dialect.name == "postgresql" else "DATETIME"
    op.execute(f"ALTER TABLE invoices ADD COLUMN sent_said_at {instant}")
    op.execute("ALTER TABLE messages ADD COLUMN says_total BIGINT")
    op.execute("ALTER TABLE messages ADD COLUMN says_number VARCHAR")
    op.execute(
        "CREATE INDEX ix_invoices_changed_since_sent ON invoices (id) WHERE "
        "sent_state <> 'not_sent' AND (sent_total <> total OR (sent_number <> reference_number "
        "AND sent_number <> coalesce(document_number, '')))"
    )
    op.execute(
        "ALTER TABLE payment_applications ADD COLUMN returned_with_id INTEGER CONSTRAINT "
        "fk_payment_applications_returned_with_id_journal_entries REFERENCES journal_entries (id) "
        "CONSTRAINT ck_payment_applications_return_reverses "
        "CHECK (returned_with_id IS NULL OR reverses_id IS NOT NULL)"
    )
    op.execute(_WHAT_RETURNS_TOOK_OFF)
    op.execute(
        "CREATE INDEX ix_payments_of_document ON payments (document_id) "
        "WHERE document_id IS NOT NULL"
    )


# Until now nothing could come after a return: what was taken back last, that day (or, where the
# payment was deleted, each on its own), was taken back by it. Its reversal is the newest entry.
_WHAT_RETURNS_TOOK_OFF = """
UPDATE payment_applications SET returned_with_id = (
    SELECT MAX(journal_entries.id) FROM journal_entries
    WHERE journal_entries.source_kind = 'payment'
    AND journal_entries.source_id = payment_applications.payment_id
    AND journal_entries.reverses_id IS NOT NULL
)
WHERE reverses_id IS NOT NULL
AND EXISTS (
    SELECT 1 FROM payments
    JOIN payment_applications AS first ON first.id = payment_applications.reverses_id
    WHERE payments.id = payment_applications.payment_id
    AND payments.origin = 'money' AND payments.returned_on IS NOT NULL
    AND payment_applications.applied_on IN (payments.returned_on, first.applied_on)
)
AND NOT EXISTS (
    SELECT 1 FROM payment_applications AS later
    WHERE later.payment_id = payment_applications.payment_id
    AND later.id > payment_applications.id AND later.reverses_id IS NULL
)
"""


def downgrade() -> None:
    raise NotImplementedError("Restore the backup that was made before the upgrade.")
