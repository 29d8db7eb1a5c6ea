"""scores of open invoices, and late fees by the term's settings"""

import sqlalchemy as sa
from alembic import op

from portal.db.upgrading import add_abilities

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


LATE_FEES = (
    "late_fees",
    "late_fee_items",
    "late_fee_exemptions",
    "late_fee_runs",
    "late_fee_rules",
    "late_fee_limits",
)
READERS = ("Administrator", "Accountant", "Office", "Collector", "Read-only")


def upgrade() -> None:
    _add_scores()
    _add_rules()
    _add_runs()
    add_abilities({name: ["view figures"] for name in READERS})


def _add_scores() -> None:
    op.create_table(
        "risk_models",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "learned",
                "rule",
                name="riskmethod",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("trained_on", sa.Date(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("invoices", sa.Integer(), nullable=False),
        sa.Column("learned_from", sa.Date(), nullable=True),
        sa.Column("learned_to", sa.Date(), nullable=True),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("accuracy", sa.JSON(), nullable=False),
        sa.Column("left_by_week", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_models")),
    )
    op.create_index(op.f("ix_risk_models_trained_on"), "risk_models", ["trained_on"])
    op.create_table(
        "risk_scores",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("scored_on", sa.Date(), nullable=False),
        sa.Column("chance", sa.BigInteger(), nullable=False),
        sa.Column("at_risk", sa.BigInteger(), nullable=False),
        sa.Column("unpaid_by_week", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_risk_scores_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["risk_models.id"], name=op.f("fk_risk_scores_model_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_scores")),
        sa.UniqueConstraint("invoice_id", name=op.f("uq_risk_scores_invoice_id")),
    )
    op.create_index(op.f("ix_risk_scores_at_risk"), "risk_scores", ["at_risk"])
    op.create_index(op.f("ix_risk_scores_model_id"), "risk_scores", ["model_id"])


def _add_rules() -> None:
    op.create_table(
        "late_fee_limits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_fee_limits")),
        sa.UniqueConstraint("region", name=op.f("uq_late_fee_limits_region")),
    )
    op.create_table(
        "late_fee_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column(
            "shape",
            sa.Enum(
                "flat",
                "percent",
                "greater",
                name="feeshape",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("flat", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column(
            "frequency",
            sa.Enum(
                "once",
                "daily",
                "monthly",
                name="feefrequency",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "base",
            sa.Enum(
                "principal",
                "total",
                name="feebase",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("applies_from", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "flat >= 0 AND rate >= 0 AND cap >= 0", name=op.f("ck_late_fee_rules_not_negative")
        ),
        sa.CheckConstraint(
            "grace_days BETWEEN 0 AND 365", name=op.f("ck_late_fee_rules_grace_range")
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["payment_terms.id"], name=op.f("fk_late_fee_rules_term_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_fee_rules")),
        sa.UniqueConstraint("term_id", name=op.f("uq_late_fee_rules_term_id")),
    )


def _add_runs() -> None:
    op.create_table(
        "late_fee_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "looking",
                "proposed",
                "charging",
                "done",
                "stopped",
                name="feerunstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("posts", sa.Boolean(), nullable=False),
        sa.Column("looked_through", sa.Integer(), nullable=False),
        sa.Column("started_by_id", sa.Integer(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["started_by_id"], ["users.id"], name=op.f("fk_late_fee_runs_started_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_fee_runs")),
    )
    op.create_index(
        "uq_late_fee_runs_live",
        "late_fee_runs",
        ["live"],
        unique=True,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
    op.create_table(
        "late_fee_exemptions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_late_fee_exemptions_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_fee_exemptions")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_late_fee_exemptions_customer_id")),
    )
    op.create_table(
        "late_fee_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "left_out",
                "not_charged",
                "charged",
                "refused",
                name="feeitemstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["invoices.id"], name=op.f("fk_late_fee_items_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_late_fee_items_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["late_fee_runs.id"], name=op.f("fk_late_fee_items_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_fee_items")),
        sa.UniqueConstraint(
            "run_id", "invoice_id", name=op.f("uq_late_fee_items_run_id_invoice_id")
        ),
    )
    op.create_index(op.f("ix_late_fee_items_invoice_id"), "late_fee_items", ["invoice_id"])
    op.create_index(
        op.f("ix_late_fee_items_run_id_state_amount"),
        "late_fee_items",
        ["run_id", "state", "amount"],
    )
    op.create_index(op.f("ix_late_fee_items_run_id_amount"), "late_fee_items", ["run_id", "amount"])
    op.create_table(
        "late_fees",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("taken_back_on", sa.Date(), nullable=True),
        sa.Column("taken_back_because", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["invoices.id"], name=op.f("fk_late_fees_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_late_fees_invoice_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_fees")),
        sa.UniqueConstraint(
            "invoice_id", "starts_on", name=op.f("uq_late_fees_invoice_id_starts_on")
        ),
    )
    op.create_index(op.f("ix_late_fees_document_id"), "late_fees", ["document_id"])


def downgrade() -> None:
    for table in LATE_FEES:
        op.drop_table(table)
    op.drop_table("risk_scores")
    op.drop_table("risk_models")
