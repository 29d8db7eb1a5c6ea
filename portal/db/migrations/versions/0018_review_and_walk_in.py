"""only reviewed invoices may be posted, the zone of who walks in, what a sent invoice said"""

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
    # What was sent before is taken for what stands there now: nothing else is known.
    op.execute(
        "UPDATE invoices SET sent_total = total, "
        "sent_number = COALESCE(document_number, reference_number) WHERE sent_state <> 'not_sent'"
    )
    op.execute(
        "CREATE INDEX ix_invoices_changed_since_sent ON invoices (id) WHERE "
        "sent_state <> 'not_sent' AND (sent_total <> total OR (sent_number <> reference_number "
        "AND sent_number <> coalesce(document_number, '')))"
    )


def downgrade() -> None:
    raise NotImplementedError("Restore the backup that was made before the upgrade.")
