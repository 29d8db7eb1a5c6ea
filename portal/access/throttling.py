"""Counting tries in the database, so that every process counts the same."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address, ip_network

import sqlalchemy as sa

from portal.db import db, lock_alone, own_transaction
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import Throttle


class TooManyTries(DomainError):
    """Calm down for a while; says nothing about whether the account exists."""


def count_try(scope: str, key: str, *, limit: int, minutes: int) -> None:
    """Count one try; TooManyTries when `limit` tries of this key lie within the last minutes.

    Kept in a transaction of its own, so that a refusal does not undo the count; therefore the
    session's current transaction is committed first. Call it before anything is changed.
    """
    db.session.commit()  # SQLite has one writer: what the request did so far ends here
    since = clock.now() - timedelta(minutes=minutes)
    with own_transaction() as session:
        lock_alone(f"tries {scope} {key}", session)  # who try at once count one by one
        tries = session.scalar(
            sa.select(sa.func.count())
            .select_from(Throttle)
            .where(Throttle.scope == scope, Throttle.key == key, Throttle.created_at > since)
        )
        if (tries or 0) < limit:
            session.add(Throttle(scope=scope, key=key))
            return
    raise TooManyTries(f"Too many tries. Please wait {minutes} minutes and try again.")


def network_of(ip: str) -> str:
    """Whom tries are counted for: one IPv4 address, or the /64 one IPv6 household has."""
    try:
        return str(ip_network((ip, 64), strict=False)) if ip_address(ip).version == 6 else ip
    except ValueError:
        return ip


def forget_old_tries() -> None:
    """Remove what no longer counts; called daily."""
    with own_transaction() as session:
        session.execute(
            sa.delete(Throttle).where(Throttle.created_at < clock.now() - timedelta(days=1))
        )
