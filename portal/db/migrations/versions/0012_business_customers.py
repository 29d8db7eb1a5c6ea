"""business customer types, and what was owed when a plan was offered"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE customer_types ADD COLUMN is_business BOOLEAN DEFAULT FALSE NOT NULL")
    op.execute("ALTER TABLE plan_shares ADD COLUMN owed BIGINT DEFAULT 0 NOT NULL")


def downgrade() -> None:
    op.drop_column("plan_shares", "owed")
    op.drop_column("customer_types", "is_business")
