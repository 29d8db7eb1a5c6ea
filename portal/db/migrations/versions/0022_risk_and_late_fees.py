"""scores of open invoices, and late fees by the term's settings"""

import sqlalchemy as sa
from alembic import op

from portal.db.upgrading import add_abilities

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


READERS = ("Administrator", "Accountant", "Office", "Collector", "Read-only")


def upgrade() -> None:
    _add_scores()
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


def downgrade() -> None:
    op.drop_table("risk_scores")
    op.drop_table("risk_models")
