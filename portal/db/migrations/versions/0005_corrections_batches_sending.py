"""corrections batches sending"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KINDS = ["job", "manual", "ar_import"]
MORE_KINDS = [
    "job", "manual", "point_of_sale", "adjustment", "credit_note", "refund", "write_off",
    "financing", "interest", "ar_import",
]  # fmt: skip
ROLES = [
    "accounts_receivable", "undeposited_funds", "checking", "gateway_clearing",
    "test_gateway_clearing", "disputed_payments", "customer_deposits", "sales_tax_payable",
    "revenue", "discounts_given", "bad_debt_expense", "processing_fees", "opening_balance_equity",
]  # fmt: skip
MORE_ROLES = [*ROLES[:-1], "finance_clearing", "interest_income", ROLES[-1]]

# What a table promises: name, its words until now, its words from now on.
PROMISES = [
    ("invoices", "ck_invoices_invoicekind", ("kind", KINDS), ("kind", MORE_KINDS)),
    ("accounts", "ck_accounts_accountrole", ("role", ROLES), ("role", MORE_ROLES)),
    (
        "payments",
        "ck_payments_amount_positive",
        "amount > 0",
        "(refunds_id IS NULL) = (amount > 0)",
    ),
    (
        "payments",
        "ck_payments_unapplied_in_amount",
        "unapplied >= 0 AND unapplied <= amount",
        "unapplied >= 0 AND (unapplied <= amount OR (amount < 0 AND unapplied = 0))",
    ),
]
COLUMNS = [
    ("companies", "text_color VARCHAR DEFAULT '#1d2433' NOT NULL"),
    ("companies", "vat_id VARCHAR DEFAULT '' NOT NULL"),
    ("companies", "registration_number VARCHAR DEFAULT '' NOT NULL"),
    ("companies", "iban VARCHAR DEFAULT '' NOT NULL"),
    ("companies", "bic VARCHAR DEFAULT '' NOT NULL"),
    ("customers", "cc_emails VARCHAR DEFAULT '' NOT NULL"),
    ("customers", "auto_send BOOLEAN DEFAULT true NOT NULL"),
    ("customers", "vat_id VARCHAR DEFAULT '' NOT NULL"),
    ("customers", "electronic_invoice BOOLEAN DEFAULT false NOT NULL"),
    ("invoices", "transfers_id INTEGER CONSTRAINT fk_invoices_transfers_id REFERENCES invoices (id)"),
    ("invoices", "type_id INTEGER CONSTRAINT fk_invoices_type_id REFERENCES invoice_types (id)"),
    ("invoices", "batch_id INTEGER CONSTRAINT fk_invoices_batch_id REFERENCES batches (id)"),
    ("invoices", "review_note VARCHAR DEFAULT '' NOT NULL"),
    ("invoices", "approval_reason VARCHAR DEFAULT '' NOT NULL"),
    ("invoices", "approved_total BIGINT"),
    ("invoices", "approved_by_id INTEGER CONSTRAINT fk_invoices_approved_by_id REFERENCES users (id)"),
    ("invoices", "approved_at TIMESTAMP"),
    ("invoices", "sync_state VARCHAR(32) DEFAULT 'not_applicable' NOT NULL CONSTRAINT ck_invoices_syncstate CHECK (sync_state IN ('not_applicable', 'synced', 'bypassed', 'action_required'))"),
    ("invoices", "bypass BOOLEAN DEFAULT false NOT NULL"),
    ("invoices", "reason VARCHAR DEFAULT '' NOT NULL"),
    ("messages", "channel VARCHAR(32) DEFAULT 'email' NOT NULL CONSTRAINT ck_messages_channel CHECK (channel IN ('email', 'sms'))"),
    ("messages", "cc VARCHAR DEFAULT '' NOT NULL"),
    ("messages", "bounced_at TIMESTAMP"),
    ("messages", "bounced_because VARCHAR DEFAULT '' NOT NULL"),
    ("messages", "sending_item_id INTEGER CONSTRAINT fk_messages_sending_item_id REFERENCES sending_items (id)"),
    ("payment_types", "refunds BOOLEAN DEFAULT false NOT NULL"),
    ("payments", "origin VARCHAR(32) DEFAULT 'money' NOT NULL CONSTRAINT ck_payments_paymentorigin CHECK (origin IN ('money', 'document'))"),
    ("payments", "document_id INTEGER CONSTRAINT fk_payments_document_id REFERENCES invoices (id) "
     "CONSTRAINT ck_payments_whence CHECK ((origin = 'document') = (document_id IS NOT NULL))"),
    ("payments", "refunds_id INTEGER CONSTRAINT fk_payments_refunds_id REFERENCES payments (id)"),
    ("payments", "gives_back_id INTEGER CONSTRAINT fk_payments_gives_back_id REFERENCES payments (id)"),
    ("payments", "refund_reason_id INTEGER CONSTRAINT fk_payments_refund_reason_id REFERENCES refund_reasons (id)"),
    ("payments", "returned_on DATE"),
    ("payments", "returned_because VARCHAR DEFAULT '' NOT NULL"),
    ("payments", "batch_id INTEGER CONSTRAINT fk_payments_batch_id REFERENCES batches (id)"),
    ("payments", "bypass BOOLEAN DEFAULT false NOT NULL "
     "CONSTRAINT ck_payments_amount_not_zero CHECK (amount <> 0)"),
]
NEW_ACCOUNTS = [
    ("2450", "Finance Clearing", "liability", "finance_clearing"),
    ("4800", "Interest and Late Fees", "income", "interest_income"),
]
NEW_ABILITIES = {
    "Administrator": [
        "approve invoices", "assign invoices", "batch invoices", "correct invoices",
        "post payments", "refund payments", "return payments", "sell at counter",
        "unapply exported payments", "unpost invoices", "write off",
    ],
    "Accountant": [
        "assign invoices", "batch invoices", "correct invoices", "post payments",
        "refund payments", "return payments", "sell at counter", "unpost invoices", "write off",
    ],
    "Office": ["assign invoices", "batch invoices", "correct invoices", "sell at counter"],
}  # fmt: skip


def upgrade() -> None:
    make_tables()
    instant = "TIMESTAMP" if op.get_bind().dialect.name == "postgresql" else "DATETIME"
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column.replace('TIMESTAMP', instant)}")
    make_indexes()
    change_promises()
    add_accounts()
    add_abilities()
    op.execute("UPDATE payment_types SET refunds = true WHERE NOT online")


def downgrade() -> None:
    raise NotImplementedError("Restore the backup that was made before the upgrade.")


def make_tables() -> None:
    op.create_table('invoice_types',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice_types')),
    sa.UniqueConstraint('name', name=op.f('uq_invoice_types_name'))
    )
    op.create_table('message_templates',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('channel', sa.Enum('email', 'sms', name='channel', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message_templates')),
    sa.UniqueConstraint('kind', 'channel', 'language', name=op.f('uq_message_templates_kind_channel_language'))
    )
    op.create_table('auto_batch_rules',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('subject', sa.Enum('invoices', 'payments', name='batchsubject', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('business_unit_id', sa.Integer(), nullable=True),
    sa.Column('only_reviewed', sa.Boolean(), nullable=False),
    sa.Column('posts', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['business_unit_id'], ['business_units.id'], name=op.f('fk_auto_batch_rules_business_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_auto_batch_rules')),
    sa.UniqueConstraint('name', name=op.f('uq_auto_batch_rules_name'))
    )
    op.create_table('auto_send_rules',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('moment', sa.Enum('completion', 'posting', name='sendingmoment', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('job_type', sa.String(), nullable=False),
    sa.Column('business_unit_id', sa.Integer(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['business_unit_id'], ['business_units.id'], name=op.f('fk_auto_send_rules_business_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_auto_send_rules')),
    sa.UniqueConstraint('name', name=op.f('uq_auto_send_rules_name'))
    )
    op.create_table('approval_rules',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('over', sa.BigInteger(), nullable=True),
    sa.Column('customer_id', sa.Integer(), nullable=True),
    sa.Column('job_type', sa.String(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("over IS NOT NULL OR customer_id IS NOT NULL OR job_type <> ''", name=op.f('ck_approval_rules_names_something')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_approval_rules_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_approval_rules')),
    sa.UniqueConstraint('name', name=op.f('uq_approval_rules_name'))
    )
    op.create_table('batches',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('state', sa.Enum('pending', 'posting', 'posted', 'exported', name='batchstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('when_refused', sa.Enum('post_none', 'post_rest', name='whenrefused', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('rule_id', sa.Integer(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('started_by_id', sa.Integer(), nullable=True),
    sa.Column('started_at', sa.DateTime(), nullable=True),
    sa.Column('claimed_until', sa.DateTime(), nullable=True),
    sa.Column('posted_at', sa.DateTime(), nullable=True),
    sa.Column('rows_total', sa.Integer(), nullable=False),
    sa.Column('rows_done', sa.Integer(), nullable=False),
    sa.Column('failure', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['users.id'], name=op.f('fk_batches_created_by_id')),
    sa.ForeignKeyConstraint(['rule_id'], ['auto_batch_rules.id'], name=op.f('fk_batches_rule_id')),
    sa.ForeignKeyConstraint(['started_by_id'], ['users.id'], name=op.f('fk_batches_started_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batches')),
    sa.UniqueConstraint('number', name=op.f('uq_batches_number'))
    )
    op.create_index(op.f('ix_batches_state'), 'batches', ['state'], unique=False)
    op.create_table('refund_reasons',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('effect', sa.Enum('pays_out_credit', 'reopens_invoice', 'lowers_revenue', name='refundeffect', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['item_id'], ['price_book_items.id'], name=op.f('fk_refund_reasons_item_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_refund_reasons')),
    sa.UniqueConstraint('name', name=op.f('uq_refund_reasons_name'))
    )
    op.create_table('sending_runs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'done', 'stopped', name='sendingstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('again', sa.Boolean(), nullable=False),
    sa.Column('with_photos', sa.Boolean(), nullable=False),
    sa.Column('rows_total', sa.Integer(), nullable=False),
    sa.Column('started_by_id', sa.Integer(), nullable=True),
    sa.Column('claimed_until', sa.DateTime(), nullable=True),
    sa.Column('finished_at', sa.DateTime(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['started_by_id'], ['users.id'], name=op.f('fk_sending_runs_started_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sending_runs'))
    )
    op.create_index(op.f('ix_sending_runs_state'), 'sending_runs', ['state'], unique=False)
    op.create_table('print_runs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('batch_id', sa.Integer(), nullable=True),
    sa.Column('invoice_ids', sa.JSON(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'done', 'stopped', 'failed', name='printstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('rows_done', sa.Integer(), nullable=False),
    sa.Column('file_key', sa.String(), nullable=False),
    sa.Column('failure', sa.String(), nullable=False),
    sa.Column('started_by_id', sa.Integer(), nullable=True),
    sa.Column('claimed_until', sa.DateTime(), nullable=True),
    sa.Column('finished_at', sa.DateTime(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batches.id'], name=op.f('fk_print_runs_batch_id')),
    sa.ForeignKeyConstraint(['started_by_id'], ['users.id'], name=op.f('fk_print_runs_started_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_print_runs'))
    )
    op.create_index(op.f('ix_print_runs_state'), 'print_runs', ['state'], unique=False)
    op.create_table('sending_items',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('invoice_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'queued', 'to_print', 'refused', name='sendingitemstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('sentence', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['invoice_id'], ['invoices.id'], name=op.f('fk_sending_items_invoice_id')),
    sa.ForeignKeyConstraint(['run_id'], ['sending_runs.id'], name=op.f('fk_sending_items_run_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sending_items')),
    sa.UniqueConstraint('run_id', 'invoice_id', name=op.f('uq_sending_items_run_id_invoice_id'))
    )
    op.create_index(op.f('ix_sending_items_run_id_state_id'), 'sending_items', ['run_id', 'state', 'id'], unique=False)
    op.create_table('batch_refusals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('invoice_id', sa.Integer(), nullable=True),
    sa.Column('payment_id', sa.Integer(), nullable=True),
    sa.Column('sentence', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint('(invoice_id IS NULL) <> (payment_id IS NULL)', name=op.f('ck_batch_refusals_one_member')),
    sa.ForeignKeyConstraint(['batch_id'], ['batches.id'], name=op.f('fk_batch_refusals_batch_id')),
    sa.ForeignKeyConstraint(['invoice_id'], ['invoices.id'], name=op.f('fk_batch_refusals_invoice_id')),
    sa.ForeignKeyConstraint(['payment_id'], ['payments.id'], name=op.f('fk_batch_refusals_payment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batch_refusals'))
    )
    op.create_index(op.f('ix_batch_refusals_batch_id'), 'batch_refusals', ['batch_id'], unique=False)


def make_indexes() -> None:
    op.create_index('ix_invoices_batched', 'invoices', ['batch_id'], unique=False, sqlite_where=sa.text('batch_id IS NOT NULL'), postgresql_where=sa.text('batch_id IS NOT NULL'))
    op.create_index(op.f('ix_invoices_transfers_id'), 'invoices', ['transfers_id'], unique=False)
    op.create_index('ix_payments_batched', 'payments', ['batch_id'], unique=False, sqlite_where=sa.text('batch_id IS NOT NULL'), postgresql_where=sa.text('batch_id IS NOT NULL'))
    op.create_index('ix_payments_document', 'payments', ['document_id'], unique=True, sqlite_where=sa.text('document_id IS NOT NULL AND returned_on IS NULL'), postgresql_where=sa.text('document_id IS NOT NULL AND returned_on IS NULL'))
    op.create_index(op.f('ix_payments_gives_back_id'), 'payments', ['gives_back_id'], unique=False)
    op.create_index(op.f('ix_payments_refunds_id'), 'payments', ['refunds_id'], unique=False)


def change_promises() -> None:
    """Rewrite CHECK constraints: in place on SQLite, as its manual describes, since rebuilding
    a table others refer to would need foreign keys off (lang_altertable.html, section 7)."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table, name, _, new in PROMISES:
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({_words(new)})")
        return
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for table, name, old, new in PROMISES:
        was = f"CONSTRAINT {name} CHECK ({_words(old)})"
        found = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)
        ).scalar_one()
        if was not in found:
            raise RuntimeError(f"{table} does not hold the constraint {was}")
        connection.exec_driver_sql(
            "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?",
            (found.replace(was, f"CONSTRAINT {name} CHECK ({_words(new)})"), table),
        )
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _words(promise: object) -> str:
    if isinstance(promise, str):
        return promise
    column, values = promise
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def add_accounts() -> None:
    """Where a chart exists, add what new installations begin with, beside taken numbers."""
    connection = op.get_bind()
    accounts = sa.table(
        "accounts",
        *(sa.column(name) for name in ("number", "name", "kind", "role", "created_at")),
        sa.column("active", sa.Boolean),
        sa.column("version", sa.Integer),
    )
    rows = connection.execute(sa.select(accounts.c.number, accounts.c.name)).all()
    numbers, names = {row.number for row in rows}, {row.name for row in rows}
    for number, name, kind, role in NEW_ACCOUNTS if rows else []:
        while number in numbers:
            number = str(int(number) + 1)
        while name in names:
            name += " (Fieldledger)"
        numbers.add(number)
        connection.execute(
            accounts.insert().values(
                number=number, name=name, kind=kind, role=role, active=True, version=1,
                created_at=sa.func.current_timestamp(),
            )
        )  # fmt: skip


def add_abilities() -> None:
    """Give the built-in roles what a new installation gives them."""
    connection = op.get_bind()
    roles = sa.table("roles", sa.column("name", sa.String), sa.column("abilities", sa.JSON))
    for name, words in NEW_ABILITIES.items():
        mine = roles.c.name == name
        held = connection.scalar(sa.select(roles.c.abilities).where(mine))
        if held is not None:
            held = json.loads(held) if isinstance(held, str) else held
            abilities = sorted({*held, *words})
            connection.execute(roles.update().where(mine).values(abilities=abilities))
