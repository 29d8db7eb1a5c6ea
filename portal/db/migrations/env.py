"""How Alembic reaches our database and compares it with the models."""

from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app

import portal.models  # noqa: F401  (fills the metadata)
from portal.db import Base, db


def render_item(kind: str, thing: Any, _context: Any) -> str | bool:
    """Write our column types as what they are in the database."""
    if kind == "type" and isinstance(thing, sa.types.TypeDecorator):
        impl = thing.impl
        return f"sa.{type(impl).__name__}()"
    return False


def run() -> None:
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=False,
            render_item=render_item,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


assert current_app
run()
