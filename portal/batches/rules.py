"""Rules that fill a batch each hour with what is ready, and post it when they say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record, record_changes
from portal.batches.asking import ask_for_posting
from portal.batches.filling import UNBATCHED, Member, put_in
from portal.batches.keeping import lock_open, start_batch
from portal.batches.readiness import READY_PAYMENT, ready_invoice
from portal.company import company, today
from portal.db import Page, PageRequest, bump, db, in_transaction, is_taken, lock_rows, paginate
from portal.kernel.errors import InvalidFields, NotFound
from portal.models import (
    AuditEntry,
    AutoBatchRule,
    Batch,
    BatchState,
    BatchSubject,
    Invoice,
    Payment,
    ReviewState,
    WhenRefused,
)


@dataclass(frozen=True)
class RuleWords:
    """A rule as typed; unit and review are about invoices only."""

    name: str
    subject: BatchSubject
    business_unit_id: int | None = None
    only_reviewed: bool = True
    posts: bool = False
    active: bool = True


def add_rule(words: RuleWords) -> AutoBatchRule:
    """Add a rule; InvalidFields when its name is missing or taken."""
    rule = AutoBatchRule()
    _write(rule, words)
    db.session.add(rule)
    record("added", rule, f"The batching rule “{rule.name}” was added.")
    return rule


def change_rule(rule: AutoBatchRule, words: RuleWords, *, version: int) -> None:
    """Save a rule; Conflict on an old version."""
    bump(rule, version)
    before = _plain(rule)
    _write(rule, words)
    record_changes(rule, f"The batching rule “{rule.name}” was changed.", before, _plain(rule))


def get_rule(rule_id: int) -> AutoBatchRule:
    """One rule; NotFound otherwise."""
    rule = db.session.get(AutoBatchRule, rule_id)
    if rule is None:
        raise NotFound("No such rule.")
    return rule


def find_rules(page: PageRequest) -> Page[AutoBatchRule]:
    query = sa.select(AutoBatchRule).options(joinedload(AutoBatchRule.business_unit))
    return paginate(query, page, sorts={"name": AutoBatchRule.name}, default="name")


def batch_by_rules() -> None:
    """Let every active rule do its work, each in a transaction of its own; hourly."""
    rules = sa.select(AutoBatchRule.id).where(AutoBatchRule.active).order_by(AutoBatchRule.id)
    ids = list(db.session.scalars(rules))
    db.session.rollback()
    for rule_id in ids:
        in_transaction(lambda rule_id=rule_id: apply_rule(rule_id))  # type: ignore[misc]


def apply_rule(rule_id: int) -> Batch | None:
    """Put what is ready into a batch, and have it posted if the rule says so.

    A rule that does not post goes on filling its batch of the day. What somebody took out of a
    batch is left alone for the rest of that day.
    """
    rule = lock_rows(AutoBatchRule, [rule_id])[0]
    if not rule.active:
        return None
    table, wheres = _wanted(rule)
    if not db.session.scalar(sa.select(sa.exists().where(*wheres))):
        return None
    batch = _todays_batch(rule) or start_batch(
        f"{rule.name} {today().isoformat()}", rule_id=rule_id
    )
    db.session.flush()
    lock_open(batch)
    put_in(batch, table, wheres)
    if rule.posts:
        ask_for_posting(batch, when_refused=WhenRefused.POST_REST, by=None)
    return batch


def _wanted(rule: AutoBatchRule) -> tuple[Member, list[sa.ColumnElement[bool]]]:
    if rule.subject is BatchSubject.PAYMENTS:
        return Payment, [READY_PAYMENT, _not_taken_out(Payment)]
    wheres: list[sa.ColumnElement[bool]] = [ready_invoice(), _not_taken_out(Invoice)]
    if rule.business_unit_id:
        wheres.append(Invoice.business_unit_id == rule.business_unit_id)
    if rule.only_reviewed:
        wheres.append(Invoice.review_state == ReviewState.REVIEWED)
    return Invoice, wheres


def _not_taken_out(table: Member) -> sa.ColumnElement[bool]:
    """Nobody took it out of a batch since the business day began: the trail remembers."""
    zone = ZoneInfo(company().zone)
    return ~sa.exists().where(
        AuditEntry.subject_kind == table.__name__.lower(),
        AuditEntry.subject_id == table.id,
        AuditEntry.verb == UNBATCHED,
        AuditEntry.at >= datetime.combine(today(), time(), tzinfo=zone),
    )


def _todays_batch(rule: AutoBatchRule) -> Batch | None:
    if rule.posts:
        return None  # what was refused this hour must not hold up the next
    begun = datetime.combine(today(), time(), tzinfo=ZoneInfo(company().zone))
    query = sa.select(Batch).where(
        Batch.rule_id == rule.id, Batch.state == BatchState.PENDING, Batch.created_at >= begun
    )
    return db.session.scalars(query.order_by(Batch.id.desc()).limit(1)).first()


def _write(rule: AutoBatchRule, words: RuleWords) -> None:
    name, errors = " ".join(words.name.split()), {}
    if not name:
        errors["name"] = "Give the rule a name; its batches carry it."
    elif len(name) > 150:
        errors["name"] = "A name has at most 150 characters."
    with db.session.no_autoflush:
        if is_taken(AutoBatchRule.name, name, rule):
            errors["name"] = "Another rule already has this name."
    if errors:
        raise InvalidFields(errors)
    rule.name, rule.subject = name, words.subject
    about_invoices = words.subject is BatchSubject.INVOICES
    rule.business_unit_id = words.business_unit_id if about_invoices else None
    rule.only_reviewed = words.only_reviewed and about_invoices
    rule.posts, rule.active = words.posts, words.active


def _plain(rule: AutoBatchRule) -> dict[str, Any]:
    names = ("name", "subject", "business_unit_id", "only_reviewed", "posts", "active")
    return {name: str(getattr(rule, name)) for name in names}
