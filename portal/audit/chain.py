"""The hash chain over the trail: added at commit, verified byte by byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from portal.audit.trail import WAITING, waiting_entries
from portal.db import db
from portal.kernel import clock
from portal.models import AuditEntry, AuditHead, AuditLink

START = "0" * 64
SAVEPOINTS = "how many audit entries waited when a savepoint began"
SEALED = ("actor", "verb", "subject_kind", "subject_id", "sentence", "changes")

ENTRIES, LINKS, HEAD = (
    cast(sa.Table, model.__table__) for model in (AuditEntry, AuditLink, AuditHead)
)
# Built once: every transaction that changes anything runs them.
LOCK_HEAD = sa.select(HEAD.c.position, HEAD.c.hash).where(HEAD.c.id == 1).with_for_update()
LAST_ENTRY = sa.select(sa.func.max(ENTRIES.c.id))
# Inline: the ids of entries are given, and nobody asks for those of links.
ADD_ENTRIES, ADD_LINKS = ENTRIES.insert().inline(), LINKS.insert().inline()
MOVE_HEAD = HEAD.update().values(
    position=sa.bindparam("new_position"), hash=sa.bindparam("new_hash")
)


@dataclass(frozen=True)
class Break:
    """Where the chain does not hold, in words."""

    position: int
    sentence: str


def seal_at_commit(session: scoped_session[Any]) -> None:
    """Write and chain every new entry as the last thing a transaction does; idempotent.

    The head row is locked only then, so writers queue for the length of a commit, no longer.
    """
    if not sa.event.contains(session, "before_commit", _seal):
        sa.event.listen(session, "before_commit", _seal)
        sa.event.listen(session, "after_transaction_create", _remember_savepoint)
        sa.event.listen(session, "after_soft_rollback", _forget)


def _remember_savepoint(session: Session, begun: SessionTransaction) -> None:
    if begun.nested:
        session.info.setdefault(SAVEPOINTS, {})[begun] = len(waiting_entries(session))


def _forget(session: Session, rolled_back: SessionTransaction) -> None:
    """Drop what was recorded since the savepoint, or the transaction, that was rolled back."""
    inner: SessionTransaction | None = rolled_back
    while inner is not None and not inner.nested:  # a failing flush has a step of its own
        inner = inner.parent
    savepoints: dict[SessionTransaction, int] = session.info.get(SAVEPOINTS, {})
    if inner is None:
        savepoints.clear()
    del waiting_entries(session)[savepoints.get(inner, 0) if inner else 0 :]


def _seal(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.info.pop(SAVEPOINTS, None)
    entries = session.info.pop(WAITING, None)
    if not entries:
        return
    connection = session.connection()  # all that follows is plain SQL, past the session
    position, digest = _locked_head(connection)
    last_id = connection.scalar(LAST_ENTRY) or 0
    links = []
    for step, entry in enumerate(entries, 1):
        entry["id"] = last_id + step
        previous, digest = digest, fingerprint(digest, entry)
        links.append(
            {
                "entry_id": entry["id"],
                "position": position + step,
                "previous_hash": previous,
                "hash": digest,
                "created_at": entry["at"],
            }
        )
    _write(connection, entries, links)


def _locked_head(connection: sa.Connection) -> tuple[int, str]:
    """Where the chain ends; the row stays locked, so ids and positions are ours to give."""
    head = connection.execute(LOCK_HEAD).one_or_none()
    if head is None:
        first = {"id": 1, "position": 0, "hash": START, "created_at": clock.now()}
        connection.execute(HEAD.insert(), first)
        return 0, START
    return head.position, head.hash


def _write(
    connection: sa.Connection, entries: list[dict[str, Any]], links: list[dict[str, Any]]
) -> None:
    # A single row goes as a plain statement: drivers prepare a list of rows at some length.
    connection.execute(ADD_ENTRIES, entries if len(entries) > 1 else entries[0])
    connection.execute(ADD_LINKS, links if len(links) > 1 else links[0])
    connection.execute(
        MOVE_HEAD, {"new_position": links[-1]["position"], "new_hash": links[-1]["hash"]}
    )


def fingerprint(previous: str, entry: Mapping[str, Any]) -> str:
    """SHA-256 over the previous hash and the entry in canonical JSON."""
    words = [previous, entry["id"], entry["at"].isoformat(), *(entry[name] for name in SEALED)]
    canonical = json.dumps(words, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def verify_audit() -> list[Break]:
    """Walk the whole chain; empty when no byte was edited, added or removed."""
    breaks: list[Break] = []
    expected, previous = 1, START
    query = (
        sa.select(AuditLink, AuditEntry)
        .outerjoin(AuditEntry, AuditEntry.id == AuditLink.entry_id)
        .order_by(AuditLink.position)
        .execution_options(yield_per=1000)
    )
    for link, entry in db.session.execute(query):
        broken = _what_is_wrong(link, entry, expected, previous)
        if broken:
            breaks.append(Break(link.position, broken))
        expected, previous = link.position + 1, link.hash
    return breaks + _loose_ends(expected - 1, previous)


def _what_is_wrong(
    link: AuditLink, entry: AuditEntry | None, expected: int, previous: str
) -> str | None:
    if link.position != expected:
        return f"Links {expected} to {link.position - 1} are missing."
    if entry is None:
        return f"The entry of link {link.position} is missing."
    if link.previous_hash != previous:
        return f"Link {link.position} does not continue the link before it."
    stored = {name: getattr(entry, name) for name in ("id", "at", *SEALED)}
    if link.hash != fingerprint(previous, stored):
        return f"Entry {entry.id} was edited after it was written."
    return None


def _loose_ends(last: int, last_hash: str) -> list[Break]:
    head = db.session.get(AuditHead, 1)
    breaks = []
    if (head.position, head.hash) != (last, last_hash) if head else last:
        breaks.append(Break(last, f"The chain ends at link {last}, but its head says otherwise."))
    unlinked = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(AuditEntry)
        .where(~sa.exists().where(AuditLink.entry_id == AuditEntry.id))
    )
    if unlinked:
        breaks.append(Break(last, f"{unlinked} entries are not part of the chain."))
    return breaks
