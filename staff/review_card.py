"""What the record of an invoice shows about edits, checks and review."""

from __future__ import annotations

from typing import Any

from flask import has_request_context, request

from portal.access import Ability
from portal.audit import mark_of
from portal.company import today
from portal.invoices import (
    ME,
    Edit,
    ReviewFilter,
    checklist,
    neighbours,
    reviewers,
    why_not,
)
from portal.ledger import is_open
from portal.models import Invoice
from portal.web import filters, signed_in_user

QUEUE = ("q", "review", "assignee", "business_unit_id", "job_type", "warning", "undated")


def review_words(invoice: Invoice) -> dict[str, Any]:
    """Why each edit is refused to this person, the checklist, and the way through the queue."""
    may_assign = Ability.ASSIGN_INVOICES in signed_in_user().role.abilities
    return {
        "refusals": refusals(invoice),
        "findings": checklist(invoice) if invoice.is_editable else [],
        "period_closed": invoice.invoice_date is not None and not is_open(invoice.invoice_date),
        "reviewers": reviewers() if may_assign and invoice.is_editable else [],
        "trail_mark": mark_of(invoice),
        "around": _around(invoice),
        "queue_words": queue_words(),
        "queue_filter": kept_filter(),
        "changed": [],
        "review_note": invoice.review_note,
        "review_refused": "",
    }


def refusals(invoice: Invoice) -> dict[str, str | None]:
    """The first reason against each edit by its name, None where it is allowed."""
    abilities = signed_in_user().role.abilities
    found = {edit.value: why_not(edit, invoice, abilities=abilities) for edit in Edit}
    # A draft of a closed month may still be given another day.
    found["facts"] = why_not(Edit.FACTS, invoice, abilities=abilities, moves_to=today())
    return found


def queue_words() -> dict[str, str]:
    """That this record was opened from the queue, and its filter, to carry along."""
    return {"queue": "1", **kept_filter()} if "queue" in request.args else {}


def keep_queue(_endpoint: str, values: dict[str, Any]) -> None:
    """Every link and form about the record opened from the queue leads back into the queue."""
    here = (request.view_args or {}).get("invoice_id") if has_request_context() else None
    if here is not None and values.get("invoice_id") == here:
        for name, word in queue_words().items():
            values.setdefault(name, word)


def kept_filter() -> dict[str, str]:
    """What the queue is narrowed to, for the links that lead out of it and back."""
    return {name: request.args[name] for name in QUEUE if request.args.get(name)}


def _around(invoice: Invoice) -> Any:
    if "queue" not in request.args:
        return None
    wanted = filters(ReviewFilter)
    me = signed_in_user().id if wanted.assignee == ME else 0
    return neighbours(invoice, wanted, me=me)
