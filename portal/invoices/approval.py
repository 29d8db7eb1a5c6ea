"""Invoices that wait for somebody else's yes before they may be posted."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from portal.audit import current_actor, record, trail_of
from portal.company import company
from portal.db import bump, db, lock_rows
from portal.invoices.allowed_edits import Edit, require_allowed
from portal.invoices.approval_rules import active_rules, reason_of, unmet_rule
from portal.invoices.events import InvoiceChanged
from portal.invoices.wording import named
from portal.kernel import clock
from portal.kernel.errors import InvalidFields, NeedsConfirmation
from portal.models import REVIEW, ApprovalRule, Invoice, InvoiceState, ReviewState, User

OWN_WORK = "own work"
EDITING = frozenset({"created", "filled", "line added", "line changed", "line removed"})


def review_problem(invoice: Invoice, rules: Sequence[ApprovalRule]) -> str | None:
    """Why it may not be posted before somebody of the office decides, in words, or None.

    What waits for something is never posted; what nobody looked at is not where the company
    says so. Load `rules` once per run with `active_rules`.
    """
    if invoice.review_state is ReviewState.PENDING_APPROVAL:
        return f"{named(invoice)} waits for approval. {invoice.approval_reason}."
    if invoice.review_state is ReviewState.REJECTED:
        return f"{named(invoice)} was rejected: {invoice.review_note}"
    if invoice.review_state is ReviewState.ON_HOLD:
        return f"{named(invoice)} is on hold: {invoice.review_note}"
    rule = unmet_rule(invoice, rules)
    if rule is not None:
        why = f"{reason_of(rule)}. Mark it reviewed to ask for one."
        return f"{named(invoice)} needs an approval. {why}"
    if invoice.review_state is ReviewState.NEEDS_REVIEW and company().only_reviewed_posts:
        return f"{named(invoice)} was not reviewed yet, and only reviewed ones are posted."
    return None


def ask_for_approval(invoice: Invoice, rule: ApprovalRule) -> None:
    """Put it before the approvers, with the rule's words as the reason."""
    old = invoice.review_state
    invoice.review_state = REVIEW.after(old, "ask")
    invoice.approval_reason = reason_of(rule)
    record(
        "asked for approval",
        invoice,
        f"{named(invoice)} waits for approval. {invoice.approval_reason}.",
        {"review": [old, invoice.review_state]},
    )


def ask_again(event: InvoiceChanged) -> None:
    """A total that grew beyond what was approved asks anew; one no rule looks at is let go."""
    invoice = event.invoice
    if invoice.state is not InvoiceState.PENDING:
        return
    waits = invoice.review_state is ReviewState.PENDING_APPROVAL
    if not waits and invoice.review_state is not ReviewState.REVIEWED:
        return  # whoever reviews it will ask
    rule = unmet_rule(invoice, active_rules())
    if rule is not None and not waits:
        ask_for_approval(invoice, rule)
    elif rule is None and waits:
        _let_go(invoice)


def approve_invoice(
    invoice: Invoice, *, by: User, version: int, confirmed: Collection[str] = ()
) -> None:
    """Release it up to its present total.

    Raises InvalidTransition, Conflict when it is not as it was shown, or NeedsConfirmation when
    whoever approves wrote its lines: two pairs of eyes are the point of asking.
    """
    _lock(invoice, version)
    target = REVIEW.after(invoice.review_state, "approve")
    if last_editor(invoice) == current_actor() and OWN_WORK not in confirmed:
        raise NeedsConfirmation(
            "You wrote its lines yourself. Somebody else should look at it.", code=OWN_WORK
        )
    invoice.review_state, invoice.review_note = target, ""
    invoice.approved_total, invoice.approved_at = abs(invoice.total), clock.now()
    invoice.approved_by_id = by.id
    record(
        "approved",
        invoice,
        f"{named(invoice)} was approved: {invoice.total}. {invoice.approval_reason}.",
        {"review": [ReviewState.PENDING_APPROVAL, target]},
    )


def reject_invoice(invoice: Invoice, *, note: str, version: int) -> None:
    """Send it back with what is wrong; it is reviewed again when that is mended.

    Raises InvalidTransition, Conflict, or InvalidFields without a note.
    """
    _lock(invoice, version)
    target = REVIEW.after(invoice.review_state, "reject")
    if not note.strip():
        raise InvalidFields({"note": "Say what is wrong, so that somebody can mend it."})
    invoice.review_state, invoice.review_note = target, note.strip()
    record(
        "rejected",
        invoice,
        f"{named(invoice)} was rejected: {invoice.review_note}",
        {"review": [ReviewState.PENDING_APPROVAL, target]},
    )


def last_editor(invoice: Invoice) -> str:
    """Who last wrote its lines, as the trail names people; empty when nobody did."""
    return next((one.actor for one in trail_of(invoice) if one.verb in EDITING), "")


def approvals_waiting() -> int:
    """How many invoices wait for an approver."""
    waiting = Invoice.review_state == ReviewState.PENDING_APPROVAL
    query = sa.select(sa.func.count()).where(waiting, Invoice.state == InvoiceState.PENDING)
    return db.session.scalar(query) or 0


def _lock(invoice: Invoice, version: int) -> None:
    lock_rows(Invoice, [invoice.id])
    require_allowed(Edit.APPROVE, invoice)
    bump(invoice, version)


def _let_go(invoice: Invoice) -> None:
    invoice.review_state = REVIEW.after(invoice.review_state, "reopen")
    invoice.approval_reason = ""
    record(
        "approval not needed",
        invoice,
        f"{named(invoice)} needs no approval any more.",
        {"review": [ReviewState.PENDING_APPROVAL, invoice.review_state]},
    )
