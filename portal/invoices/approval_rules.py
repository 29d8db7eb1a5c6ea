"""The rules that say which invoices somebody else has to agree to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record, record_changes
from portal.db import Page, PageRequest, bump, db, holds, is_taken, paginate
from portal.kernel.errors import InvalidFields, NotFound
from portal.kernel.money import ZERO, Money
from portal.models import ApprovalRule, Customer, Invoice, InvoiceKind

# Made by people whose own ability is the approval, and posted in the same moment.
EXEMPT = frozenset({InvoiceKind.WRITE_OFF, InvoiceKind.REFUND, InvoiceKind.FINANCING})


@dataclass(frozen=True)
class ApprovalWords:
    """A rule as typed: it asks when everything it names holds; `over` is not included."""

    name: str
    over: Money | None = None
    customer: Customer | None = None
    job_type: str = ""
    active: bool = True


def active_rules() -> list[ApprovalRule]:
    """The rules in force; load them once for a run over many invoices."""
    return list(db.session.scalars(_IN_FORCE))


# Built once: every posting asks.
_IN_FORCE = sa.select(ApprovalRule).where(ApprovalRule.active).order_by(ApprovalRule.id)


def unmet_rule(invoice: Invoice, rules: Sequence[ApprovalRule]) -> ApprovalRule | None:
    """The first rule that asks for an approval this invoice does not have yet.

    An approval covers every total up to the one that was approved. A credit note counts by its
    size: giving back a large amount is as large a decision as charging it.
    """
    if not rules or invoice.kind in EXEMPT:
        return None
    size = abs(invoice.total)
    if invoice.approved_total is not None and size <= invoice.approved_total:
        return None
    return next((rule for rule in rules if _asks(rule, invoice, size)), None)


def reason_of(rule: ApprovalRule) -> str:
    """Which rule asks, and what it looks at, in words."""
    return f"{rule.name}: {conditions_of(rule)}"


def conditions_of(rule: ApprovalRule) -> str:
    """What the rule looks at, in words."""
    parts = []
    if rule.over is not None:
        parts.append(f"the total is over {rule.over}")
    if rule.customer is not None:
        parts.append(f"the customer is {rule.customer.name}")
    if rule.job_type:
        parts.append(f"the job is of type {rule.job_type}")
    return " and ".join(parts)


def find_rules(q: str, page: PageRequest) -> Page[ApprovalRule]:
    query = sa.select(ApprovalRule).options(joinedload(ApprovalRule.customer))
    if q:
        query = query.where(holds(ApprovalRule.name, q))
    sorts = {"name": ApprovalRule.name, "over": ApprovalRule.over}
    return paginate(query, page, sorts=sorts, default="name")


def get_rule(rule_id: int) -> ApprovalRule:
    """One rule; NotFound otherwise."""
    rule = db.session.get(ApprovalRule, rule_id)
    if rule is None:
        raise NotFound("No such approval rule.")
    return rule


def add_rule(words: ApprovalWords) -> ApprovalRule:
    """Add a rule; InvalidFields when its name is taken or it names nothing."""
    rule = ApprovalRule()
    _write(rule, words)
    db.session.add(rule)
    record("added", rule, f"Approval rule {rule.name} was added: {reason_of(rule)}.")
    return rule


def change_rule(rule: ApprovalRule, words: ApprovalWords, *, version: int) -> None:
    """Save a rule; what waits for an approver already keeps waiting. Conflict, InvalidFields."""
    bump(rule, version)
    before = _plain(rule)
    _write(rule, words)
    record_changes(rule, f"Approval rule {rule.name} was changed.", before, _plain(rule))


def _asks(rule: ApprovalRule, invoice: Invoice, size: Money) -> bool:
    if rule.over is not None and size <= rule.over:
        return False
    if rule.customer_id is not None and rule.customer_id != invoice.customer_id:
        return False
    if not rule.job_type:
        return True
    return invoice.job is not None and _same(invoice.job.job_type, rule.job_type)


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _write(rule: ApprovalRule, words: ApprovalWords) -> None:
    errors = {}
    name = words.name.strip()
    if not name:
        errors["name"] = "Give the rule a name; it is told to those who wait."
    with db.session.no_autoflush:
        if name and is_taken(ApprovalRule.name, name, rule, any_case=True):
            errors["name"] = "Another rule already has this name."
    if words.over is not None and words.over < ZERO:
        errors["over"] = "Give an amount of zero or more."
    if words.over is None and words.customer is None and not words.job_type.strip():
        errors["over"] = "Say what the rule looks at: an amount, a customer or a type of job."
    if errors:
        raise InvalidFields(errors)
    rule.name, rule.over, rule.customer = name, words.over, words.customer
    rule.job_type, rule.active = words.job_type.strip(), words.active


def _plain(rule: ApprovalRule) -> dict[str, Any]:
    values = {one.name: getattr(rule, one.name) for one in fields(ApprovalWords)}
    values["over"] = str(rule.over) if rule.over is not None else None
    values["customer"] = rule.customer.name if rule.customer else None
    return values
