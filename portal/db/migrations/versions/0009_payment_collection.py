"""payment collection: saved methods, planned charges, plans, refunds, disputes, payouts"""

import sqlalchemy as sa
from alembic import op

from portal.db.upgrading import add_abilities, add_accounts, change_promises

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROLES = [
    "accounts_receivable", "undeposited_funds", "checking", "gateway_clearing",
    "test_gateway_clearing", "disputed_payments", "customer_deposits", "sales_tax_payable",
    "revenue", "discounts_given", "bad_debt_expense", "processing_fees", "finance_clearing",
    "interest_income", "opening_balance_equity",
]  # fmt: skip
MORE_ROLES = [*ROLES[:12], "refunds_in_transit", *ROLES[12:]]
DISPUTES = ["open", "won", "lost"]
MORE_DISPUTES = ["inquiry", "open", "under_review", "won", "lost", "closed"]
PROMISES = [
    ("accounts", "ck_accounts_accountrole", ("role", ROLES), ("role", MORE_ROLES)),
    ("disputes", "ck_disputes_disputestate", ("state", DISPUTES), ("state", MORE_DISPUTES)),
]
COLUMNS = [
    ("payment_attempts", "purpose VARCHAR(32) DEFAULT 'checkout' NOT NULL CONSTRAINT ck_payment_attempts_attemptpurpose CHECK (purpose IN ('checkout', 'office', 'autopay', 'plan', 'bulk'))"),
    ("payment_attempts", "method_id INTEGER CONSTRAINT fk_payment_attempts_method_id REFERENCES saved_methods (id)"),
    ("disputes", "held BIGINT DEFAULT 0 NOT NULL"),
    ("disputes", "fee BIGINT DEFAULT 0 NOT NULL"),
    ("disputes", "answer_by TIMESTAMP"),
    ("disputes", "answered_at TIMESTAMP"),
    ("disputes", "answer VARCHAR DEFAULT '' NOT NULL"),
    ("disputes", "file_key VARCHAR DEFAULT '' NOT NULL"),
    ("disputes", "version INTEGER DEFAULT 1 NOT NULL"),
]
NEW_ACCOUNTS = [("2420", "Refunds in Transit", "liability", "refunds_in_transit")]
NEW_ABILITIES = {
    "Administrator": [
        "agree payment plans", "answer disputes", "approve refunds", "bulk charge",
        "charge saved methods", "reconcile payouts",
    ],
    "Accountant": [
        "agree payment plans", "answer disputes", "bulk charge", "charge saved methods",
        "reconcile payouts",
    ],
    "Office": ["agree payment plans", "charge saved methods"],
    "Collector": ["agree payment plans", "charge saved methods"],
}  # fmt: skip


def upgrade() -> None:
    make_tables()
    instant = "TIMESTAMP" if op.get_bind().dialect.name == "postgresql" else "DATETIME"
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column.replace('TIMESTAMP', instant)}")
    op.execute("UPDATE disputes SET held = amount WHERE state <> 'won'")  # as it was booked
    make_indexes()
    change_promises(PROMISES)
    add_accounts(NEW_ACCOUNTS)
    add_abilities(NEW_ABILITIES)


def downgrade() -> None:
    raise NotImplementedError("Restore the backup that was made before the upgrade.")


def make_tables() -> None:
    op.create_table('collection_rules',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('notice_days', sa.Integer(), nullable=False),
    sa.Column('retry_days', sa.String(), nullable=False),
    sa.Column('refund_limit', sa.BigInteger(), nullable=True),
    sa.Column('plan_most_payments', sa.Integer(), nullable=False),
    sa.Column('plan_longest_days', sa.Integer(), nullable=False),
    sa.Column('plan_least_amount', sa.BigInteger(), nullable=True),
    sa.Column('plan_grace_days', sa.Integer(), nullable=False),
    sa.Column('lawful_process', sa.Boolean(), nullable=False),
    sa.Column('lawful_process_by', sa.String(), nullable=False),
    sa.Column('lawful_process_at', sa.DateTime(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_collection_rules_only_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_collection_rules'))
    )
    op.create_table('payouts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('gateway', sa.String(), nullable=False),
    sa.Column('livemode', sa.Boolean(), nullable=False),
    sa.Column('payout_ref', sa.String(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('arrives_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Enum('on_its_way', 'paid', 'failed', name='payoutstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('difference', sa.BigInteger(), nullable=False),
    sa.Column('matched_at', sa.DateTime(), nullable=True),
    sa.Column('next_check_at', sa.DateTime(), nullable=True),
    sa.Column('failure', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payouts')),
    sa.UniqueConstraint('gateway', 'payout_ref', name=op.f('uq_payouts_gateway_payout_ref'))
    )
    op.create_table('test_gateway_objects',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=True),
    sa.Column('parent_ref', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_test_gateway_objects')),
    sa.UniqueConstraint('key', name=op.f('uq_test_gateway_objects_key')),
    sa.UniqueConstraint('ref', name=op.f('uq_test_gateway_objects_ref'))
    )
    op.create_table('bank_deposits',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('deposited_on', sa.Date(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('memo', sa.String(), nullable=False),
    sa.Column('payout_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_bank_deposits_account_id')),
    sa.ForeignKeyConstraint(['payout_id'], ['payouts.id'], name=op.f('fk_bank_deposits_payout_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bank_deposits')),
    sa.UniqueConstraint('payout_id', name=op.f('uq_bank_deposits_payout_id'))
    )
    op.create_table('charge_runs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'done', 'stopped', name='chargerunstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('rows_total', sa.Integer(), nullable=False),
    sa.Column('left_out', sa.JSON(), nullable=False),
    sa.Column('started_by_id', sa.Integer(), nullable=True),
    sa.Column('claimed_until', sa.DateTime(), nullable=True),
    sa.Column('finished_at', sa.DateTime(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['started_by_id'], ['users.id'], name=op.f('fk_charge_runs_started_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_charge_runs'))
    )
    op.create_table('consents',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('save_method', 'autopay', 'payment_plan', name='consentkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('given_by', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('agent', sa.String(), nullable=False),
    sa.Column('revoked_at', sa.DateTime(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_consents_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consents'))
    )
    op.create_table('gateway_customers',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('gateway', sa.String(), nullable=False),
    sa.Column('livemode', sa.Boolean(), nullable=False),
    sa.Column('customer_ref', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_gateway_customers_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gateway_customers')),
    sa.UniqueConstraint('customer_id', 'gateway', 'livemode', name=op.f('uq_gateway_customers_customer_id_gateway_livemode')),
    sa.UniqueConstraint('gateway', 'customer_ref', name=op.f('uq_gateway_customers_gateway_customer_ref'))
    )
    op.create_table('saved_methods',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('gateway', sa.String(), nullable=False),
    sa.Column('livemode', sa.Boolean(), nullable=False),
    sa.Column('customer_ref', sa.String(), nullable=False),
    sa.Column('method_ref', sa.String(), nullable=False),
    sa.Column('kind', sa.Enum('card', 'bank_debit', name='methodkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('brand', sa.String(), nullable=False),
    sa.Column('last4', sa.String(), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=True),
    sa.Column('is_primary', sa.Boolean(), nullable=False),
    sa.Column('state', sa.Enum('active', 'gone', 'removed', name='methodstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('consent_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("NOT is_primary OR state = 'active'", name=op.f('ck_saved_methods_primary_is_active')),
    sa.ForeignKeyConstraint(['consent_id'], ['consents.id'], name=op.f('fk_saved_methods_consent_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_saved_methods_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_methods')),
    sa.UniqueConstraint('gateway', 'method_ref', name=op.f('uq_saved_methods_gateway_method_ref'))
    )
    op.create_table('autopays',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('moment', sa.Enum('due_date', 'invoice_date', name='autopaymoment', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('method_id', sa.Integer(), nullable=True),
    sa.Column('most', sa.BigInteger(), nullable=True),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('consent_id', sa.Integer(), nullable=False),
    sa.Column('stopped_because', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['consent_id'], ['consents.id'], name=op.f('fk_autopays_consent_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_autopays_customer_id')),
    sa.ForeignKeyConstraint(['method_id'], ['saved_methods.id'], name=op.f('fk_autopays_method_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_autopays')),
    sa.UniqueConstraint('customer_id', name=op.f('uq_autopays_customer_id'))
    )
    op.create_table('method_setups',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=43), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('consent_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('created', 'open', 'unknown', 'succeeded', 'failed', 'expired', name='setupstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('gateway', sa.String(), nullable=False),
    sa.Column('livemode', sa.Boolean(), nullable=False),
    sa.Column('customer_ref', sa.String(), nullable=False),
    sa.Column('session_ref', sa.String(), nullable=True),
    sa.Column('checkout_url', sa.String(), nullable=False),
    sa.Column('return_url', sa.String(), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('started_by', sa.String(), nullable=False),
    sa.Column('make_primary', sa.Boolean(), nullable=False),
    sa.Column('with_autopay', sa.Boolean(), nullable=False),
    sa.Column('method_id', sa.Integer(), nullable=True),
    sa.Column('failure', sa.String(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=True),
    sa.Column('next_check_at', sa.DateTime(), nullable=True),
    sa.Column('checks', sa.Integer(), nullable=False),
    sa.Column('misses', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['consent_id'], ['consents.id'], name=op.f('fk_method_setups_consent_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_method_setups_customer_id')),
    sa.ForeignKeyConstraint(['method_id'], ['saved_methods.id'], name=op.f('fk_method_setups_method_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_method_setups')),
    sa.UniqueConstraint('public_id', name=op.f('uq_method_setups_public_id')),
    sa.UniqueConstraint('session_ref', name=op.f('uq_method_setups_session_ref'))
    )
    op.create_table('payment_plans',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('asked', 'proposed', 'active', 'kept', 'broken', 'declined', 'withdrawn', 'replaced', name='planstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('rhythm', sa.Enum('weekly', 'biweekly', 'monthly', name='planrhythm', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('fee', sa.BigInteger(), nullable=False),
    sa.Column('automatic', sa.Boolean(), nullable=False),
    sa.Column('method_id', sa.Integer(), nullable=True),
    sa.Column('consent_id', sa.Integer(), nullable=True),
    sa.Column('grace_days', sa.Integer(), nullable=False),
    sa.Column('reasons', sa.JSON(), nullable=False),
    sa.Column('asked_by', sa.String(), nullable=False),
    sa.Column('proposed_by', sa.String(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('offer_ends_on', sa.Date(), nullable=True),
    sa.Column('accepted_at', sa.DateTime(), nullable=True),
    sa.Column('ended_on', sa.Date(), nullable=True),
    sa.Column('ended_because', sa.String(), nullable=False),
    sa.Column('replaces_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('amount > 0', name=op.f('ck_payment_plans_amount_positive')),
    sa.CheckConstraint('fee >= 0', name=op.f('ck_payment_plans_fee_not_negative')),
    sa.ForeignKeyConstraint(['consent_id'], ['consents.id'], name=op.f('fk_payment_plans_consent_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_payment_plans_customer_id')),
    sa.ForeignKeyConstraint(['method_id'], ['saved_methods.id'], name=op.f('fk_payment_plans_method_id')),
    sa.ForeignKeyConstraint(['replaces_id'], ['payment_plans.id'], name=op.f('fk_payment_plans_replaces_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payment_plans')),
    sa.UniqueConstraint('replaces_id', name=op.f('uq_payment_plans_replaces_id'))
    )
    op.create_table('plan_instalments',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('reminded_at', sa.DateTime(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint('amount > 0', name=op.f('ck_plan_instalments_amount_positive')),
    sa.ForeignKeyConstraint(['plan_id'], ['payment_plans.id'], name=op.f('fk_plan_instalments_plan_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_instalments')),
    sa.UniqueConstraint('plan_id', 'number', name=op.f('uq_plan_instalments_plan_id_number'))
    )
    op.create_table('plan_shares',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('invoice_id', sa.Integer(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('live', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint('amount > 0', name=op.f('ck_plan_shares_amount_positive')),
    sa.ForeignKeyConstraint(['invoice_id'], ['invoices.id'], name=op.f('fk_plan_shares_invoice_id')),
    sa.ForeignKeyConstraint(['plan_id'], ['payment_plans.id'], name=op.f('fk_plan_shares_plan_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_shares')),
    sa.UniqueConstraint('plan_id', 'invoice_id', name=op.f('uq_plan_shares_plan_id_invoice_id'))
    )
    op.create_table('gateway_differences',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('gateway', sa.String(), nullable=False),
    sa.Column('kind', sa.Enum('missing_here', 'missing_there', 'amount_differs', 'refund_missing_here', 'refund_missing_there', name='differencekind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('ref', sa.String(), nullable=False),
    sa.Column('ours', sa.BigInteger(), nullable=True),
    sa.Column('theirs', sa.BigInteger(), nullable=True),
    sa.Column('sentence', sa.String(), nullable=False),
    sa.Column('payment_id', sa.Integer(), nullable=True),
    sa.Column('resolved_at', sa.DateTime(), nullable=True),
    sa.Column('resolved_by', sa.String(), nullable=False),
    sa.Column('resolution', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['payment_id'], ['payments.id'], name=op.f('fk_gateway_differences_payment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gateway_differences'))
    )
    op.create_table('gateway_movements',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('gateway', sa.String(), nullable=False),
    sa.Column('livemode', sa.Boolean(), nullable=False),
    sa.Column('movement_ref', sa.String(), nullable=False),
    sa.Column('kind', sa.Enum('charge', 'refund', 'refund_failure', 'dispute', 'dispute_reversal', 'fee', 'adjustment', 'payout', 'payout_reversal', 'other', name='movementkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('fee', sa.BigInteger(), nullable=False),
    sa.Column('net', sa.BigInteger(), nullable=False),
    sa.Column('moved_at', sa.DateTime(), nullable=False),
    sa.Column('payment_ref', sa.String(), nullable=False),
    sa.Column('source_ref', sa.String(), nullable=False),
    sa.Column('payout_id', sa.Integer(), nullable=True),
    sa.Column('payment_id', sa.Integer(), nullable=True),
    sa.Column('problem', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint('net = amount - fee', name=op.f('ck_gateway_movements_net')),
    sa.ForeignKeyConstraint(['payment_id'], ['payments.id'], name=op.f('fk_gateway_movements_payment_id')),
    sa.ForeignKeyConstraint(['payout_id'], ['payouts.id'], name=op.f('fk_gateway_movements_payout_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gateway_movements')),
    sa.UniqueConstraint('gateway', 'movement_ref', name=op.f('uq_gateway_movements_gateway_movement_ref'))
    )
    op.create_table('gateway_refunds',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=43), nullable=False),
    sa.Column('refund_id', sa.Integer(), nullable=False),
    sa.Column('payment_id', sa.Integer(), nullable=False),
    sa.Column('gateway', sa.String(), nullable=False),
    sa.Column('livemode', sa.Boolean(), nullable=False),
    sa.Column('payment_ref', sa.String(), nullable=False),
    sa.Column('refund_ref', sa.String(), nullable=True),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('state', sa.Enum('created', 'in_transit', 'unknown', 'succeeded', 'failed', name='gatewayrefundstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('failure', sa.String(), nullable=False),
    sa.Column('settled_at', sa.DateTime(), nullable=True),
    sa.Column('next_check_at', sa.DateTime(), nullable=True),
    sa.Column('checks', sa.Integer(), nullable=False),
    sa.Column('misses', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint('amount > 0', name=op.f('ck_gateway_refunds_amount_positive')),
    sa.ForeignKeyConstraint(['payment_id'], ['payments.id'], name=op.f('fk_gateway_refunds_payment_id')),
    sa.ForeignKeyConstraint(['refund_id'], ['payments.id'], name=op.f('fk_gateway_refunds_refund_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gateway_refunds')),
    sa.UniqueConstraint('gateway', 'refund_ref', name=op.f('uq_gateway_refunds_gateway_refund_ref')),
    sa.UniqueConstraint('public_id', name=op.f('uq_gateway_refunds_public_id')),
    sa.UniqueConstraint('refund_id', name=op.f('uq_gateway_refunds_refund_id'))
    )
    op.create_table('refund_requests',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('payment_id', sa.Integer(), nullable=False),
    sa.Column('source_key', sa.String(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('words', sa.JSON(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'approved', 'declined', name='refundrequeststate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('asked_by_id', sa.Integer(), nullable=False),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.DateTime(), nullable=True),
    sa.Column('decided_because', sa.String(), nullable=False),
    sa.Column('refund_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['asked_by_id'], ['users.id'], name=op.f('fk_refund_requests_asked_by_id')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['users.id'], name=op.f('fk_refund_requests_decided_by_id')),
    sa.ForeignKeyConstraint(['payment_id'], ['payments.id'], name=op.f('fk_refund_requests_payment_id')),
    sa.ForeignKeyConstraint(['refund_id'], ['payments.id'], name=op.f('fk_refund_requests_refund_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_refund_requests')),
    sa.UniqueConstraint('refund_id', name=op.f('uq_refund_requests_refund_id'))
    )
    op.create_table('dispute_movements',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('dispute_id', sa.Integer(), nullable=False),
    sa.Column('movement_ref', sa.String(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('fee', sa.BigInteger(), nullable=False),
    sa.Column('moved_at', sa.DateTime(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['dispute_id'], ['disputes.id'], name=op.f('fk_dispute_movements_dispute_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dispute_movements')),
    sa.UniqueConstraint('movement_ref', name=op.f('uq_dispute_movements_movement_ref'))
    )
    op.create_table('planned_charges',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('source', sa.Enum('autopay', 'plan', 'bulk', name='chargesource', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('invoice_id', sa.Integer(), nullable=True),
    sa.Column('instalment_id', sa.Integer(), nullable=True),
    sa.Column('run_id', sa.Integer(), nullable=True),
    sa.Column('amount', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Enum('waiting', 'charging', 'failed', 'succeeded', 'given_up', 'cancelled', name='chargestate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('charge_on', sa.Date(), nullable=False),
    sa.Column('next_try_on', sa.Date(), nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('noticed_at', sa.DateTime(), nullable=True),
    sa.Column('claimed_until', sa.DateTime(), nullable=True),
    sa.Column('attempt_id', sa.Integer(), nullable=True),
    sa.Column('outcome', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(source = 'autopay') = (invoice_id IS NOT NULL) AND (source = 'plan') = (instalment_id IS NOT NULL) AND (source = 'bulk') = (run_id IS NOT NULL)", name=op.f('ck_planned_charges_one_source')),
    sa.ForeignKeyConstraint(['attempt_id'], ['payment_attempts.id'], name=op.f('fk_planned_charges_attempt_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_planned_charges_customer_id')),
    sa.ForeignKeyConstraint(['instalment_id'], ['plan_instalments.id'], name=op.f('fk_planned_charges_instalment_id')),
    sa.ForeignKeyConstraint(['invoice_id'], ['invoices.id'], name=op.f('fk_planned_charges_invoice_id')),
    sa.ForeignKeyConstraint(['run_id'], ['charge_runs.id'], name=op.f('fk_planned_charges_run_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_planned_charges')),
    sa.UniqueConstraint('instalment_id', name=op.f('uq_planned_charges_instalment_id')),
    sa.UniqueConstraint('run_id', 'customer_id', name=op.f('uq_planned_charges_run_id_customer_id'))
    )


def make_indexes() -> None:
    op.create_index(op.f('ix_payouts_state'), 'payouts', ['state'], unique=False)
    op.create_index(op.f('ix_test_gateway_objects_kind_parent_ref'), 'test_gateway_objects', ['kind', 'parent_ref'], unique=False)
    op.create_index(op.f('ix_charge_runs_state'), 'charge_runs', ['state'], unique=False)
    op.create_index(op.f('ix_consents_customer_id'), 'consents', ['customer_id'], unique=False)
    op.create_index(op.f('ix_saved_methods_customer_id'), 'saved_methods', ['customer_id'], unique=False)
    op.create_index('uq_saved_methods_primary', 'saved_methods', ['customer_id', 'gateway', 'livemode'], unique=True, sqlite_where=sa.text('is_primary'), postgresql_where=sa.text('is_primary'))
    op.create_index(op.f('ix_autopays_active'), 'autopays', ['active'], unique=False)
    op.create_index(op.f('ix_method_setups_customer_id'), 'method_setups', ['customer_id'], unique=False)
    op.create_index('ix_method_setups_due', 'method_setups', ['next_check_at'], unique=False, sqlite_where=sa.text('next_check_at IS NOT NULL'), postgresql_where=sa.text('next_check_at IS NOT NULL'))
    op.create_index(op.f('ix_payment_plans_customer_id'), 'payment_plans', ['customer_id'], unique=False)
    op.create_index(op.f('ix_payment_plans_state'), 'payment_plans', ['state'], unique=False)
    op.create_index(op.f('ix_plan_instalments_due_on_plan_id'), 'plan_instalments', ['due_on', 'plan_id'], unique=False)
    op.create_index(op.f('ix_plan_shares_invoice_id'), 'plan_shares', ['invoice_id'], unique=False)
    op.create_index('uq_plan_shares_live', 'plan_shares', ['invoice_id'], unique=True, sqlite_where=sa.text('live'), postgresql_where=sa.text('live'))
    op.create_index('uq_gateway_differences_open', 'gateway_differences', ['gateway', 'kind', 'ref'], unique=True, sqlite_where=sa.text('resolved_at IS NULL'), postgresql_where=sa.text('resolved_at IS NULL'))
    op.create_index(op.f('ix_gateway_movements_payment_id'), 'gateway_movements', ['payment_id'], unique=False)
    op.create_index(op.f('ix_gateway_movements_payment_ref'), 'gateway_movements', ['payment_ref'], unique=False)
    op.create_index(op.f('ix_gateway_movements_payout_id'), 'gateway_movements', ['payout_id'], unique=False)
    op.create_index('ix_gateway_movements_unmatched', 'gateway_movements', ['id'], unique=False, sqlite_where=sa.text("problem <> ''"), postgresql_where=sa.text("problem <> ''"))
    op.create_index('ix_gateway_refunds_due', 'gateway_refunds', ['next_check_at'], unique=False, sqlite_where=sa.text('next_check_at IS NOT NULL'), postgresql_where=sa.text('next_check_at IS NOT NULL'))
    op.create_index(op.f('ix_gateway_refunds_payment_id'), 'gateway_refunds', ['payment_id'], unique=False)
    op.create_index(op.f('ix_gateway_refunds_state'), 'gateway_refunds', ['state'], unique=False)
    op.create_index(op.f('ix_refund_requests_payment_id'), 'refund_requests', ['payment_id'], unique=False)
    op.create_index(op.f('ix_refund_requests_state'), 'refund_requests', ['state'], unique=False)
    op.create_index(op.f('ix_dispute_movements_dispute_id'), 'dispute_movements', ['dispute_id'], unique=False)
    op.create_index(op.f('ix_planned_charges_attempt_id'), 'planned_charges', ['attempt_id'], unique=False)
    op.create_index(op.f('ix_planned_charges_customer_id'), 'planned_charges', ['customer_id'], unique=False)
    op.create_index('ix_planned_charges_due', 'planned_charges', ['next_try_on'], unique=False, sqlite_where=sa.text('next_try_on IS NOT NULL'), postgresql_where=sa.text('next_try_on IS NOT NULL'))
    op.create_index('uq_planned_charges_live_invoice', 'planned_charges', ['invoice_id'], unique=True, sqlite_where=sa.text("state IN ('waiting', 'charging', 'failed')"), postgresql_where=sa.text("state IN ('waiting', 'charging', 'failed')"))
