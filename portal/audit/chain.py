"""The hash chain over the trail: added at commit, verified byte by byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from portal.audit.trail import UNSEALED
from portal.db import db
from portal.models import AuditEntry, AuditHead, AuditLink

START = "0" * 64
DOUBTFUL = "a savepoint was rolled back since the last seal"
SEALED = ("actor", "verb", "subject_kind", "subject_id", "sentence", "changes")


@dataclass(frozen=True)
class Break:
    """Where the chain does not hold, in words."""

    position: int
    sentence: str


def seal_at_commit(session: scoped_session[Any]) -> None:
    """Chain every new entry as the last thing a transaction does; idempotent.

    The head row is locked only then, so writers queue for the length of a commit, no longer.
    """
    if not sa.event.contains(session, "before_commit", _seal):
        sa.event.listen(session, "before_commit", _seal)
        sa.event.listen(session, "after_soft_rollback", _forget)


def _forget(session: Session, previous: SessionTransaction) -> None:
    if previous.nested:  # a savepoint that rolls back takes its rows along, not the list
        session.info[DOUBTFUL] = True
    else:
        session.info.pop(UNSEALED, None)
        session.info.pop(DOUBTFUL, None)


def _seal(session: Session) -> None:
    if session.in_nested_transaction() or not session.info.get(UNSEALED):
        return
    entries = session.info.pop(UNSEALED)
    if session.info.pop(DOUBTFUL, False):
        entries = _still_there(session, entries)
    if not entries:
        return
    head = _locked_head(session)
    links = []
    for entry in entries:
        position, previous = head.position + 1, head.hash
        digest = fingerprint(previous, entry)
        links.append(
            {
                "entry_id": entry["id"],
                "position": position,
                "previous_hash": previous,
                "hash": digest,
                "created_at": entry["at"],
            }
        )
        head.position, head.hash = position, digest
    session.execute(sa.insert(AuditLink), links)
    session.flush()


def _locked_head(session: Session) -> AuditHead:
    query = sa.select(AuditHead).where(AuditHead.id == 1).with_for_update()
    head = session.scalar(query.execution_options(populate_existing=True))
    if head is None:
        head = AuditHead(id=1, position=0, hash=START)
        session.add(head)
        session.flush()
    return head


def _still_there(session: Session, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the entries of savepoints that were rolled back; SQLite gives their ids again."""
    there: set[int] = set()
    for start in range(0, len(entries), 500):
        part = [entry["id"] for entry in entries[start : start + 500]]
        there.update(session.scalars(sa.select(AuditEntry.id).where(AuditEntry.id.in_(part))))
    latest = {entry["id"]: entry for entry in entries}
    return [latest[one] for one in sorted(there)]


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
