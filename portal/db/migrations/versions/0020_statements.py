"""statements kept as sent, their runs and their settings"""

import sqlalchemy as sa
from alembic import op

from portal.db.upgrading import add_abilities

revision = "0020"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "statement_settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("monthly", sa.Boolean(), nullable=False),
        sa.Column("day_of_month", sa.Integer(), nullable=False),
        sa.Column("weeks_between", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "open_item",
                "balance_forward",
                name="statementkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "way",
            sa.Enum(
                "as_preferred",
                "email",
                "print",
                "both",
                name="statementway",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("with_copies", sa.Boolean(), nullable=False),
        sa.Column("credit_only", sa.Boolean(), nullable=False),
        sa.Column("least", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "day_of_month BETWEEN 1 AND 31", name=op.f("ck_statement_settings_day_of_a_month")
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_statement_settings_only_one")),
        sa.CheckConstraint(
            "weeks_between BETWEEN 0 AND 52", name=op.f("ck_statement_settings_weeks_of_a_year")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_settings")),
    )
    op.create_table(
        "statement_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "done",
                "stopped",
                name="statementrunstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "open_item",
                "balance_forward",
                name="statementkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column(
            "way",
            sa.Enum(
                "as_preferred",
                "email",
                "print",
                "both",
                name="statementway",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("with_copies", sa.Boolean(), nullable=False),
        sa.Column("credit_only", sa.Boolean(), nullable=False),
        sa.Column("weeks_between", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("recipients", sa.String(), nullable=False),
        sa.Column("narrowed_to", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=True),
        sa.Column("rows_total", sa.Integer(), nullable=False),
        sa.Column("started_by_id", sa.Integer(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'balance_forward') = (starts_on IS NOT NULL)",
            name=op.f("ck_statement_runs_range_when_forward"),
        ),
        sa.ForeignKeyConstraint(
            ["started_by_id"], ["users.id"], name=op.f("fk_statement_runs_started_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_runs")),
        sa.UniqueConstraint("slot", name=op.f("uq_statement_runs_slot")),
    )
    op.create_index(op.f("ix_statement_runs_state"), "statement_runs", ["state"])
    op.create_table(
        "statement_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "queued",
                "to_print",
                "left_out",
                name="statementitemstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_statement_items_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["statement_runs.id"], name=op.f("fk_statement_items_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_items")),
        sa.UniqueConstraint(
            "run_id", "customer_id", name=op.f("uq_statement_items_run_id_customer_id")
        ),
    )
    op.create_index(op.f("ix_statement_items_customer_id"), "statement_items", ["customer_id"])
    op.create_index(
        op.f("ix_statement_items_run_id_share_state_id"),
        "statement_items",
        ["run_id", "share", "state", "id"],
    )
    op.create_table(
        "statement_shares",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "done",
                "stopped",
                name="statementrunstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("claimed_until", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["statement_runs.id"], name=op.f("fk_statement_shares_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_shares")),
        sa.UniqueConstraint("run_id", "number", name=op.f("uq_statement_shares_run_id_number")),
    )
    op.create_index(op.f("ix_statement_shares_state"), "statement_shares", ["state"])
    op.create_table(
        "statements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "open_item",
                "balance_forward",
                name="statementkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("customer_name", sa.String(), nullable=False),
        sa.Column("postal_code", sa.String(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.Column("charges", sa.BigInteger(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("closing", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("file_key", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.Column("opened_at", sa.DateTime(), nullable=True),
        sa.Column("sent_to", sa.String(), nullable=False),
        sa.Column("to_print", sa.Boolean(), nullable=False),
        sa.Column("printed_at", sa.DateTime(), nullable=True),
        sa.Column("sent_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "closing = opening + charges - credits", name=op.f("ck_statements_adds_up")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_statements_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["statement_items.id"], name=op.f("fk_statements_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["statement_runs.id"], name=op.f("fk_statements_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["sent_by_id"], ["users.id"], name=op.f("fk_statements_sent_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
        sa.UniqueConstraint("item_id", name=op.f("uq_statements_item_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_statements_token_hash")),
    )
    op.create_index(op.f("ix_statements_customer_id_id"), "statements", ["customer_id", "id"])
    op.create_index(op.f("ix_statements_run_id"), "statements", ["run_id"])
    op.create_index(
        "ix_statements_to_print",
        "statements",
        ["postal_code", "id"],
        unique=False,
        sqlite_where=sa.text("to_print AND printed_at IS NULL"),
        postgresql_where=sa.text("to_print AND printed_at IS NULL"),
    )
    op.create_table(
        "statement_invoices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("open_amount", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_statement_invoices_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statements.id"], name=op.f("fk_statement_invoices_statement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_invoices")),
        sa.UniqueConstraint(
            "statement_id", "invoice_id", name=op.f("uq_statement_invoices_statement_id_invoice_id")
        ),
    )
    op.create_index(op.f("ix_statement_invoices_invoice_id"), "statement_invoices", ["invoice_id"])
    op.execute("ALTER TABLE print_runs ADD COLUMN document_kind VARCHAR DEFAULT 'invoice' NOT NULL")
    words = ["send statements"]
    add_abilities({name: words for name in ("Administrator", "Accountant", "Office", "Collector")})


def downgrade() -> None:
    op.drop_column("print_runs", "document_kind")
    for table in (
        "statement_invoices",
        "statements",
        "statement_shares",
        "statement_items",
        "statement_runs",
        "statement_settings",
    ):
        op.drop_table(table)
