"""The office's own look at a draft before it is posted: reviewed, on hold, by whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.access import Ability
from portal.audit import record
from portal.db import bump, db, lock_rows
from portal.invoices.allowed_edits import Edit, require_allowed
from portal.invoices.approval import ask_for_approval
from portal.invoices.approval_rules import active_rules, unmet_rule
from portal.invoices.wording import named
from portal.kernel.errors import DomainError, InvalidFields, InvalidTransition
from portal.models import REVIEW, ApprovalRule, Invoice, ReviewState, User

VERBS = {
    ReviewState.REVIEWED: "review",
    ReviewState.ON_HOLD: "hold",
    ReviewState.NEEDS_REVIEW: "reopen",
}


@dataclass
class ReviewOutcome:
    """What became of each invoice; a refusal says why."""

    done: list[Invoice] = field(default_factory=list)
    refused: list[tuple[Invoice, str]] = field(default_factory=list)


def review_invoice(
    invoice: Invoice, state: ReviewState, *, note: str = "", version: int | None = None
) -> None:
    """Move one draft on the review axis (servicetitan-rules §2); on hold says why.

    A reviewed invoice that a rule matches waits for approval instead. Raises InvalidTransition,
    InvalidFields without the note of a hold, Conflict when `version` is old.
    """
    lock_rows(Invoice, [invoice.id])
    if version is not None:
        bump(invoice, version)
    _review(invoice, state, note, active_rules())
    db.session.flush()  # its new version is what the next page is made of


def review_invoices(ids: Sequence[int], state: ReviewState, *, note: str = "") -> ReviewOutcome:
    """Move many; each that cannot be moved is told with its reason, the others are done."""
    rules = active_rules()
    return _each(ids, lambda one: _review(one, state, note, rules))


def assign_invoices(ids: Sequence[int], assignee: User | None) -> ReviewOutcome:
    """Say who reviews these drafts, or nobody; per row, as `review_invoices`."""
    return _each(ids, lambda one: _assign(one, assignee))


def reviewers() -> list[User]:
    """Who can be asked to review: active people whose role may edit invoices, by name."""
    query = sa.select(User).where(User.active).options(joinedload(User.role)).order_by(User.name)
    able = Ability.EDIT_INVOICES
    return [one for one in db.session.scalars(query) if able in one.role.abilities]


def _each(ids: Sequence[int], act: Callable[[Invoice], None]) -> ReviewOutcome:
    outcome = ReviewOutcome()
    found = {one.id: one for one in lock_rows(Invoice, ids)}
    for invoice in (found[one] for one in dict.fromkeys(ids) if one in found):
        try:
            act(invoice)
            outcome.done.append(invoice)
        except DomainError as error:
            outcome.refused.append((invoice, str(error)))
    db.session.flush()
    return outcome


def _review(invoice: Invoice, state: ReviewState, note: str, rules: Sequence[ApprovalRule]) -> None:
    require_allowed(Edit.REVIEW, invoice)
    if state not in VERBS:
        raise InvalidTransition("Only an approver approves or rejects.")
    old = invoice.review_state
    target = REVIEW.after(old, VERBS[state])
    if state is ReviewState.ON_HOLD and not note.strip():
        raise InvalidFields({"note": "Say what it waits for."})
    rule = unmet_rule(invoice, rules) if state is ReviewState.REVIEWED else None
    invoice.review_note = note.strip()
    if rule is not None:
        ask_for_approval(invoice, rule)
        return
    invoice.review_state, invoice.approval_reason = target, ""
    words = state.replace("_", " ") + (f": {note.strip()}" if note.strip() else "")
    record("reviewed", invoice, f"Review: {words}.".replace("..", "."), {"review": [old, target]})


def _assign(invoice: Invoice, assignee: User | None) -> None:
    require_allowed(Edit.ASSIGN, invoice)
    old = invoice.review_assignee
    if old is assignee:
        who = f"{assignee.name} already has it" if assignee else "Nobody has it"
        raise InvalidTransition(f"{who}.")
    invoice.review_assignee = assignee
    words = f"is {assignee.name}'s to review" if assignee else "is nobody's to review any more"
    record(
        "assigned",
        invoice,
        f"{named(invoice)} {words}.",
        {"reviewer": [old.name if old else None, assignee.name if assignee else None]},
    )
