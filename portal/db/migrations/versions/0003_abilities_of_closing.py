"""abilities of closing"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NEW = {"Administrator": ["close periods", "open periods"], "Accountant": ["close periods"]}


def upgrade() -> None:
    """Give the built-in roles what a new installation gives them."""
    connection = op.get_bind()
    roles = sa.table("roles", sa.column("name", sa.String), sa.column("abilities", sa.JSON))
    for name, words in NEW.items():
        mine = roles.c.name == name
        held = connection.scalar(sa.select(roles.c.abilities).where(mine))
        if held is not None:
            held = json.loads(held) if isinstance(held, str) else held
            abilities = sorted({*held, *words})
            connection.execute(roles.update().where(mine).values(abilities=abilities))


def downgrade() -> None:
    """Words nobody asks for do no harm."""
