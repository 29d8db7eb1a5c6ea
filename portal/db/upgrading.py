"""Steps that migrations share: CHECKs rewritten, accounts and abilities added."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from alembic import op

# A CHECK in words, or a column and the values it allows.
Words = str | tuple[str, Sequence[str]]
Promise = tuple[str, str, Words, Words]  # table, name, as it was, as it shall be


def change_promises(promises: Sequence[Promise]) -> None:
    """Rewrite CHECK constraints: in place on SQLite, as its manual describes, since rebuilding
    a table others refer to would need foreign keys off (lang_altertable.html, section 7)."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table, name, _, new in promises:
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({_words(new)})")
        return
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for table, name, old, new in promises:
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


def _words(promise: Words) -> str:
    if isinstance(promise, str):
        return promise
    column, values = promise
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def add_accounts(new: Sequence[tuple[str, str, str, str]]) -> None:
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
    for number, name, kind, role in new if rows else []:
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


def add_abilities(new: Mapping[str, Sequence[str]]) -> None:
    """Give the built-in roles what a new installation gives them."""
    connection = op.get_bind()
    roles = sa.table("roles", sa.column("name", sa.String), sa.column("abilities", sa.JSON))
    for name, words in new.items():
        mine = roles.c.name == name
        held = connection.scalar(sa.select(roles.c.abilities).where(mine))
        if held is not None:
            held = json.loads(held) if isinstance(held, str) else held
            abilities = sorted({*held, *words})
            connection.execute(roles.update().where(mine).values(abilities=abilities))
