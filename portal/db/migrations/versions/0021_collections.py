"""collections: flags, opt-outs, contacts, promises, disputes of invoices, policies, cases"""

import sqlalchemy as sa
from alembic import op

from portal.db.upgrading import add_abilities, change_promises

revision = "0021"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS = [
    ("customers", "collector_id INTEGER CONSTRAINT fk_customers_collector_id REFERENCES users (id)"),
    ("messages", "delivered_at TIMESTAMP"),
]
MESSAGES = ["waiting", "sending", "sent", "kept", "failed"]
PROMISES = [
    (
        "messages",
        "ck_messages_messagestate",
        ("state", MESSAGES),
        ("state", [*MESSAGES, "called_off"]),
    ),
]
NEW_ABILITIES = {
    "Administrator": ["work collections", "manage collections"],
    "Accountant": ["work collections", "manage collections"],
    "Office": ["work collections"],
    "Collector": ["work collections"],
}


def upgrade() -> None:
    instant = "TIMESTAMP" if op.get_bind().dialect.name == "postgresql" else "DATETIME"
    for table, column in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column.replace('TIMESTAMP', instant)}")
    make_tables()
    change_promises(PROMISES)
    add_abilities(NEW_ABILITIES)


def downgrade() -> None:
    raise NotImplementedError("Restore the backup that was made before the upgrade.")


def make_tables() -> None:
    op.create_table('dunning_rules',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('reminders_on', sa.Boolean(), nullable=False),
    sa.Column('most_attempts', sa.Integer(), nullable=False),
    sa.Column('attempt_days', sa.Integer(), nullable=False),
    sa.Column('rest_days', sa.Integer(), nullable=False),
    sa.Column('first_hour', sa.Integer(), nullable=False),
    sa.Column('last_hour', sa.Integer(), nullable=False),
    sa.Column('counts_email', sa.Boolean(), nullable=False),
    sa.Column('looser_because', sa.String(), nullable=False),
    sa.Column('looser_by', sa.String(), nullable=False),
    sa.Column('looser_at', sa.DateTime(), nullable=True),
    sa.Column('days_between', sa.Integer(), nullable=False),
    sa.Column('promise_grace_days', sa.Integer(), nullable=False),
    sa.Column('control_percent', sa.Integer(), nullable=False),
    sa.Column('control_days', sa.Integer(), nullable=False),
    sa.Column('sees_assigned_only', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_dunning_rules_only_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dunning_rules'))
    )
    op.create_table('dunning_policies',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('customer_type_id', sa.Integer(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['customer_type_id'], ['customer_types.id'], name=op.f('fk_dunning_policies_customer_type_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dunning_policies')),
    sa.UniqueConstraint('name', name=op.f('uq_dunning_policies_name'))
    )
    op.create_index('uq_dunning_policies_default', 'dunning_policies', ['active'], unique=True, sqlite_where=sa.text('active AND customer_type_id IS NULL'), postgresql_where=sa.text('active AND customer_type_id IS NULL'))
    op.create_index('uq_dunning_policies_type', 'dunning_policies', ['customer_type_id'], unique=True, sqlite_where=sa.text('active AND customer_type_id IS NOT NULL'), postgresql_where=sa.text('active AND customer_type_id IS NOT NULL'))
    op.create_table('dunning_stages',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('policy_id', sa.Integer(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.Column('action', sa.Enum('email', 'sms', 'call', 'letter', 'manager', 'write_off', name='stageaction', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('tone', sa.Enum('courtesy', 'friendly', 'firm', 'final', name='tone', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('automatic', sa.Boolean(), nullable=False),
    sa.Column('retired', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['policy_id'], ['dunning_policies.id'], name=op.f('fk_dunning_stages_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dunning_stages'))
    )
    op.create_index(op.f('ix_dunning_stages_policy_id'), 'dunning_stages', ['policy_id'], unique=False)
    op.create_table('collection_standings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('on_hold', sa.Boolean(), nullable=False),
    sa.Column('hold_because', sa.String(), nullable=False),
    sa.Column('paused_until', sa.Date(), nullable=True),
    sa.Column('paused_because', sa.String(), nullable=False),
    sa.Column('bankrupt', sa.Boolean(), nullable=False),
    sa.Column('represented', sa.String(), nullable=False),
    sa.Column('ceased', sa.Boolean(), nullable=False),
    sa.Column('best_way', sa.Enum('call', 'email', 'sms', 'letter', name='contactway', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('zone', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_collection_standings_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_collection_standings')),
    sa.UniqueConstraint('customer_id', name=op.f('uq_collection_standings_customer_id'))
    )
    op.create_table('dunning_cases',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('policy_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('open', 'with_manager', 'closed', name='casestate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('control', sa.Boolean(), nullable=False),
    sa.Column('opened_on', sa.Date(), nullable=False),
    sa.Column('owed_at_start', sa.BigInteger(), nullable=False),
    sa.Column('oldest_due_on', sa.Date(), nullable=False),
    sa.Column('owed', sa.BigInteger(), nullable=False),
    sa.Column('chance', sa.BigInteger(), nullable=False),
    sa.Column('expected', sa.BigInteger(), nullable=False),
    sa.Column('reasons', sa.JSON(), nullable=False),
    sa.Column('waits_because', sa.String(), nullable=False),
    sa.Column('next_step', sa.String(), nullable=False),
    sa.Column('snoozed_until', sa.Date(), nullable=True),
    sa.Column('snoozed_because', sa.String(), nullable=False),
    sa.Column('handed_to_id', sa.Integer(), nullable=True),
    sa.Column('handed_because', sa.String(), nullable=False),
    sa.Column('closed_on', sa.Date(), nullable=True),
    sa.Column('ended', sa.Enum('paid', 'gone', 'stopped', name='caseend', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('closed_because', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'closed') = (closed_on IS NOT NULL)", name=op.f('ck_dunning_cases_closed_is_dated')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_dunning_cases_customer_id')),
    sa.ForeignKeyConstraint(['handed_to_id'], ['users.id'], name=op.f('fk_dunning_cases_handed_to_id')),
    sa.ForeignKeyConstraint(['policy_id'], ['dunning_policies.id'], name=op.f('fk_dunning_cases_policy_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dunning_cases'))
    )
    op.create_index(op.f('ix_dunning_cases_customer_id'), 'dunning_cases', ['customer_id'], unique=False)
    op.create_index('ix_dunning_cases_worklist', 'dunning_cases', ['expected', 'id'], unique=False, sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'"))
    op.create_index('uq_dunning_cases_live', 'dunning_cases', ['customer_id'], unique=True, sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'"))
    op.create_table('inbound_texts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('gateway_ref', sa.String(), nullable=False),
    sa.Column('sender', sa.String(), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('meaning', sa.String(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=True),
    sa.Column('received_at', sa.DateTime(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_inbound_texts_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbound_texts')),
    sa.UniqueConstraint('gateway_ref', name=op.f('uq_inbound_texts_gateway_ref'))
    )
    op.create_index(op.f('ix_inbound_texts_customer_id'), 'inbound_texts', ['customer_id'], unique=False)
    op.create_index(op.f('ix_inbound_texts_sender'), 'inbound_texts', ['sender'], unique=False)
    op.create_table('opt_outs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=True),
    sa.Column('way', sa.Enum('call', 'email', 'sms', 'letter', name='contactway', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('since', sa.DateTime(), nullable=False),
    sa.Column('because', sa.String(), nullable=False),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.Column('ended_because', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint("address <> '' OR customer_id IS NOT NULL", name=op.f('ck_opt_outs_binds_somebody')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_opt_outs_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_opt_outs'))
    )
    op.create_index(op.f('ix_opt_outs_customer_id'), 'opt_outs', ['customer_id'], unique=False)
    op.create_index('uq_opt_outs_live_address', 'opt_outs', ['address', 'way'], unique=True, sqlite_where=sa.text("ended_at IS NULL AND address <> ''"), postgresql_where=sa.text("ended_at IS NULL AND address <> ''"))
    op.create_index('uq_opt_outs_live_customer', 'opt_outs', ['customer_id', 'way'], unique=True, sqlite_where=sa.text("ended_at IS NULL AND address = ''"), postgresql_where=sa.text("ended_at IS NULL AND address = ''"))
    op.create_table('promises_to_pay',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=True),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('made_on', sa.Date(), nullable=False),
    sa.Column('promised_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Enum('open', 'kept', 'broken', 'withdrawn', name='promisestate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('made_by', sa.String(), nullable=False),
    sa.Column('taken_by_id', sa.Integer(), nullable=True),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('paid', sa.BigInteger(), nullable=True),
    sa.Column('decided_on', sa.Date(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'open') = (decided_on IS NULL)", name=op.f('ck_promises_to_pay_decided_is_dated')),
    sa.CheckConstraint('amount > 0', name=op.f('ck_promises_to_pay_amount_positive')),
    sa.CheckConstraint('promised_on >= made_on', name=op.f('ck_promises_to_pay_promised_later')),
    sa.ForeignKeyConstraint(['case_id'], ['dunning_cases.id'], name=op.f('fk_promises_to_pay_case_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_promises_to_pay_customer_id')),
    sa.ForeignKeyConstraint(['taken_by_id'], ['users.id'], name=op.f('fk_promises_to_pay_taken_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_promises_to_pay'))
    )
    op.create_index(op.f('ix_promises_to_pay_customer_id_state_promised_on'), 'promises_to_pay', ['customer_id', 'state', 'promised_on'], unique=False)
    op.create_index(op.f('ix_promises_to_pay_state'), 'promises_to_pay', ['state'], unique=False)
    op.create_table('write_off_proposals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=True),
    sa.Column('invoice_id', sa.Integer(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('because', sa.String(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'approved', 'declined', 'withdrawn', name='writeoffproposalstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('proposed_by_id', sa.Integer(), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.DateTime(), nullable=True),
    sa.Column('decided_because', sa.String(), nullable=False),
    sa.Column('document_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('amount > 0', name=op.f('ck_write_off_proposals_amount_positive')),
    sa.ForeignKeyConstraint(['case_id'], ['dunning_cases.id'], name=op.f('fk_write_off_proposals_case_id')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['users.id'], name=op.f('fk_write_off_proposals_decided_by_id')),
    sa.ForeignKeyConstraint(['document_id'], ['invoices.id'], name=op.f('fk_write_off_proposals_document_id')),
    sa.ForeignKeyConstraint(['invoice_id'], ['invoices.id'], name=op.f('fk_write_off_proposals_invoice_id')),
    sa.ForeignKeyConstraint(['proposed_by_id'], ['users.id'], name=op.f('fk_write_off_proposals_proposed_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_write_off_proposals')),
    sa.UniqueConstraint('document_id', name=op.f('uq_write_off_proposals_document_id'))
    )
    op.create_index(op.f('ix_write_off_proposals_case_id'), 'write_off_proposals', ['case_id'], unique=False)
    op.create_index(op.f('ix_write_off_proposals_invoice_id'), 'write_off_proposals', ['invoice_id'], unique=False)
    op.create_index(op.f('ix_write_off_proposals_state'), 'write_off_proposals', ['state'], unique=False)
    op.create_index('uq_write_off_proposals_waiting', 'write_off_proposals', ['invoice_id'], unique=True, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.create_table('invoice_disputes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('invoice_id', sa.Integer(), nullable=False),
    sa.Column('line_id', sa.Integer(), nullable=True),
    sa.Column('line_words', sa.String(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Enum('price', 'quantity', 'not_done', 'quality', 'not_ordered', 'paid_already', 'wrong_customer', 'other', name='invoicedisputereason', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('state', sa.Enum('open', 'resolved', 'withdrawn', name='invoicedisputestate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('owner_id', sa.Integer(), nullable=True),
    sa.Column('opened_on', sa.Date(), nullable=False),
    sa.Column('opened_by', sa.String(), nullable=False),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.Column('outcome', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name=op.f('ck_invoice_disputes_ended_is_dated')),
    sa.CheckConstraint('amount > 0', name=op.f('ck_invoice_disputes_amount_positive')),
    sa.ForeignKeyConstraint(['invoice_id'], ['invoices.id'], name=op.f('fk_invoice_disputes_invoice_id')),
    sa.ForeignKeyConstraint(['line_id'], ['invoice_lines.id'], name=op.f('fk_invoice_disputes_line_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['owner_id'], ['users.id'], name=op.f('fk_invoice_disputes_owner_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invoice_disputes'))
    )
    op.create_index(op.f('ix_invoice_disputes_invoice_id'), 'invoice_disputes', ['invoice_id'], unique=False)
    op.create_index('ix_invoice_disputes_open', 'invoice_disputes', ['invoice_id', 'amount'], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_index(op.f('ix_invoice_disputes_owner_id'), 'invoice_disputes', ['owner_id'], unique=False)
    op.create_index(op.f('ix_invoice_disputes_state'), 'invoice_disputes', ['state'], unique=False)
    op.create_index('uq_invoice_disputes_open_line', 'invoice_disputes', ['line_id'], unique=True, sqlite_where=sa.text("state = 'open' AND line_id IS NOT NULL"), postgresql_where=sa.text("state = 'open' AND line_id IS NOT NULL"))
    op.create_table('contact_attempts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=True),
    sa.Column('contact_id', sa.Integer(), nullable=True),
    sa.Column('way', sa.Enum('call', 'email', 'sms', 'letter', name='contactway', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('inbound', sa.Boolean(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('outcome', sa.Enum('spoke', 'left_message', 'no_answer', 'wrong_number', 'refused', 'sent', 'came_back', 'answered', name='contactoutcome', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('message_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['dunning_cases.id'], name=op.f('fk_contact_attempts_case_id')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_contact_attempts_contact_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_contact_attempts_customer_id')),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_contact_attempts_message_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_contact_attempts_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_attempts')),
    sa.UniqueConstraint('message_id', name=op.f('uq_contact_attempts_message_id'))
    )
    op.create_index(op.f('ix_contact_attempts_case_id'), 'contact_attempts', ['case_id'], unique=False)
    op.create_index(op.f('ix_contact_attempts_customer_id_at'), 'contact_attempts', ['customer_id', 'at'], unique=False)
    op.create_table('dunning_steps',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('stage_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'to_do', 'done', 'skipped', 'refused', name='stepstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('not_before', sa.DateTime(), nullable=True),
    sa.Column('claimed_until', sa.DateTime(), nullable=True),
    sa.Column('done_at', sa.DateTime(), nullable=True),
    sa.Column('sentence', sa.String(), nullable=False),
    sa.Column('message_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['dunning_cases.id'], name=op.f('fk_dunning_steps_case_id')),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_dunning_steps_message_id')),
    sa.ForeignKeyConstraint(['stage_id'], ['dunning_stages.id'], name=op.f('fk_dunning_steps_stage_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dunning_steps')),
    sa.UniqueConstraint('case_id', 'stage_id', name=op.f('uq_dunning_steps_case_id_stage_id'))
    )
    op.create_index('ix_dunning_steps_waiting', 'dunning_steps', ['not_before'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.create_index(op.f('ix_customers_collector_id'), 'customers', ['collector_id'], unique=False)
    op.create_index('ix_messages_outside_ref', 'messages', ['outside_ref'], unique=False, sqlite_where=sa.text("outside_ref <> ''"), postgresql_where=sa.text("outside_ref <> ''"))
