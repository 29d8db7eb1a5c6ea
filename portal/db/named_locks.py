"""Locks by name, held until the transaction ends: many may share one, or one has it alone.

SQLite has a single writer, so whoever writes has every such lock already.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.db.base import db


def lock_together(name: str) -> bool:
    """Share the lock with others; whether there was one to take (false on SQLite)."""
    return _lock("pg_advisory_xact_lock_shared", name)


def lock_alone(name: str, session: Session | None = None) -> bool:
    """Wait until nobody else has the lock, then keep it; whether there was one to take.

    It ends with the transaction of `session`, which is the request's unless another is given.
    """
    return _lock("pg_advisory_xact_lock", name, session)


def _lock(function: str, name: str, session: Session | None = None) -> bool:
    if db.engine.dialect.name != "postgresql":
        return False
    (session or db.session).execute(_statement(function), {"key": _key(name)})
    return True


@cache
def _statement(function: str) -> sa.Select[Any]:
    return sa.select(getattr(sa.func, function)(sa.bindparam("key", type_=sa.BigInteger)))


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
