"""Changing a Pending invoice: its facts and its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.attributes import flag_modified

from portal.audit import record, record_changes
from portal.db import bump, db, is_taken
from portal.invoices.allowed_edits import Edit, require_allowed
from portal.invoices.crediting import undone_when_refused
from portal.invoices.events import InvoiceChanged
from portal.invoices.lines import LineWords, append_lines, record_lines, write_line
from portal.invoices.locking import posting_under_way
from portal.invoices.totals import price_invoice
from portal.invoices.wording import document_word, named
from portal.kernel.errors import Conflict, DomainError, InvalidFields, InvalidTransition
from portal.kernel.events import tell
from portal.ledger import is_numbered_for, is_own_number
from portal.models import (
    BusinessUnit,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    InvoiceType,
    Location,
    PaymentTerm,
    TaxZone,
    User,
)


@dataclass(frozen=True)
class InvoiceFacts:
    """Everything about an invoice that is not a line."""

    reference_number: str
    invoice_date: date | None
    term: PaymentTerm
    location: Location | None
    tax_zone: TaxZone | None
    business_unit_id: int | None
    summary: str
    purchase_order: str
    type: InvoiceType | None = None


def change_invoice(invoice: Invoice, facts: InvoiceFacts, *, version: int) -> None:
    """Save new facts and reprice, since date, zone and term decide tax and due date.

    Raises PeriodClosed, InvalidTransition, Conflict (old version) or InvalidFields.
    """
    require_editable(invoice, Edit.FACTS, moves_to=facts.invoice_date)
    bump(invoice, version)
    _check(invoice, facts)
    before = _words(invoice)
    for name in (
        "reference_number",
        "invoice_date",
        "term",
        "location",
        "tax_zone",
        "business_unit_id",
        "summary",
        "purchase_order",
        "type",
    ):
        setattr(invoice, name, getattr(facts, name))
    owed = invoice.sign > 0  # a credit is never due
    invoice.due_date = (
        facts.term.due_date(facts.invoice_date) if owed and facts.invoice_date else None
    )
    db.session.flush()
    db.session.expire(invoice, ["business_unit"])  # it follows the id just written
    with undone_when_refused(invoice):
        price_invoice(invoice)
    record_changes(invoice, f"{named(invoice)} was changed.", before, _words(invoice))


def change_summary(invoice: Invoice, summary: str, *, version: int) -> None:
    """The one text that may change in every state and period (servicetitan-rules §17)."""
    bump(invoice, version)
    old, invoice.summary = invoice.summary, summary
    record("changed", invoice, "The summary was changed.", {"summary": [old, summary]})


def add_line(invoice: Invoice, words: LineWords) -> InvoiceLine:
    """Append a line and reprice."""
    return add_lines(invoice, [words])[0]


def add_lines(invoice: Invoice, lines: Sequence[LineWords]) -> list[InvoiceLine]:
    """Append lines in this order and reprice once; all of them or, when one is wrong, none."""
    require_editable(invoice)
    with undone_when_refused(invoice):
        added = append_lines(invoice, lines)
    _is_new_version(invoice)
    record_lines(invoice, added)
    return added


def change_line(invoice: Invoice, line: InvoiceLine, words: LineWords, *, version: int) -> None:
    """Rewrite a line and reprice; Conflict when the invoice was saved meanwhile."""
    require_editable(invoice)
    bump(invoice, version)
    _require_still_there(invoice, line)
    before = _line_words(invoice, line)
    with undone_when_refused(invoice):
        write_line(invoice, line, words)
        price_invoice(invoice)
    _is_new_version(invoice)
    told, after = f"Line “{line.description}” was changed.", _line_words(invoice, line)
    record_changes(invoice, told, before, after, verb="line changed")


def remove_line(invoice: Invoice, line: InvoiceLine) -> None:
    """Take a line off and reprice."""
    require_editable(invoice)
    _require_still_there(invoice, line)
    words = f"Line “{line.description}” was removed: {invoice.shown(line.total)}."
    with undone_when_refused(invoice):
        invoice.lines.remove(line)
        price_invoice(invoice)
    _is_new_version(invoice)
    record("line removed", invoice, words)


def refresh_tax(invoice: Invoice) -> None:
    """Take the location's zone and today's rates again; Pending only (§14)."""
    require_editable(invoice, Edit.TAX)
    if invoice.location is not None:
        invoice.tax_zone = invoice.location.tax_zone
    before = invoice.tax_total
    with undone_when_refused(invoice):
        price_invoice(invoice)
    record(
        "changed",
        invoice,
        "The sales tax was refreshed.",
        {"tax": [str(before), str(invoice.tax_total)]},
    )


def cancel_invoice(invoice: Invoice, *, because: str) -> None:
    """Cancel a Pending invoice without money on it; it keeps its number and stays readable."""
    require_editable(invoice, Edit.CANCEL)
    if invoice.applied:
        raise DomainError(
            f"{invoice.applied} is already applied to this invoice. Take the payment back first."
        )
    invoice.state = InvoiceState.CANCELLED
    tell(InvoiceChanged(invoice))
    words = f"{document_word(invoice)} {invoice.number} was cancelled: {because}"
    record("cancelled", invoice, words)
    if invoice.adjusts is not None:
        record("correction cancelled", invoice.adjusts, words)


def require_editable(
    invoice: Invoice, edit: Edit = Edit.LINES, *, moves_to: date | None = None
) -> None:
    """Raises PeriodClosed or InvalidTransition, whichever the table of edits tells first.

    Nor is a member of a batch edited while that is being posted: somebody said yes to it as it is.

    A draft may leave a closed month for a day of an open one, `moves_to`: nothing of it is on
    the books yet, and else it could never be posted.

    Locks the invoice until the transaction ends and reads it afresh with its lines, so that
    neither a payment nor another editor comes between reading and saving the new total.
    """
    if invoice.id:
        _lock_whole(invoice)
    require_allowed(edit, invoice, moves_to=moves_to)
    if problem := posting_under_way(invoice.batch_id):
        raise InvalidTransition(problem)


def _lock_whole(invoice: Invoice) -> None:
    db.session.flush()
    query = (
        sa.select(Invoice)
        .where(Invoice.id == invoice.id)
        .with_for_update(of=Invoice)
        .options(selectinload(Invoice.lines), selectinload(Invoice.taxes))
    )
    db.session.scalars(query.execution_options(populate_existing=True)).one()


def _is_new_version(invoice: Invoice) -> None:
    """Lines belong to what somebody saw: also when the total stays, the version moves on."""
    flag_modified(invoice, "total")


def _require_still_there(invoice: Invoice, line: InvoiceLine) -> None:
    if line not in invoice.lines:
        raise Conflict("Somebody else removed this line meanwhile.")


def _line_words(invoice: Invoice, line: InvoiceLine) -> dict[str, Any]:
    technician = db.session.get(User, line.technician_id) if line.technician_id else None
    return {
        "description": line.description,
        "quantity": str(invoice.shown(line.quantity)),
        "price": str(line.unit_price),
        "taxable": line.taxable,
        "technician": technician.name if technician else None,
    }


def _check(invoice: Invoice, facts: InvoiceFacts) -> None:
    errors = {}
    if not facts.reference_number.strip():
        errors["reference_number"] = "The reference number cannot be empty."
    elif facts.reference_number != invoice.reference_number and is_own_number(
        facts.reference_number
    ):
        errors["reference_number"] = (
            "Numbers like this one are given by Fieldledger itself. Choose another form."
        )
    if facts.invoice_date and facts.invoice_date != invoice.invoice_date:
        number = invoice.document_number
        if number and not is_numbered_for(number, facts.invoice_date):
            errors["invoice_date"] = (
                f"It was posted as {number} and keeps that number: choose a day of the same "
                "fiscal year, or cancel it and begin a new one."
            )
    with db.session.no_autoflush:
        if is_taken(Invoice.reference_number, facts.reference_number, invoice):
            errors["reference_number"] = "Another invoice already has this number."
    if problem := _interest_date_problem(invoice, facts.invoice_date):
        errors["invoice_date"] = problem
    if facts.location and facts.location.customer_id != invoice.customer_id:
        errors["location"] = "That location belongs to another customer."
    if errors:
        raise InvalidFields(errors)


def _interest_date_problem(invoice: Invoice, day: date | None) -> str | None:
    """Interest is charged up to the day of its document, so the next one begins there.

    Dated earlier or not at all, the days between would be charged twice; later is harmless.
    """
    if invoice.kind is not InvoiceKind.INTEREST or invoice.invoice_date is None:
        return None
    if day is not None and day >= invoice.invoice_date:
        return None
    upto = invoice.invoice_date.isoformat()
    return f"Interest was charged up to {upto}. For an earlier day, cancel it and charge again."


def _words(invoice: Invoice) -> dict[str, Any]:
    number = invoice.business_unit_id  # the row itself may still be the one before the change
    unit = db.session.get(BusinessUnit, number) if number else None
    return {
        "number": invoice.reference_number,
        "date": invoice.invoice_date.isoformat() if invoice.invoice_date else None,
        "term": invoice.term.name if invoice.term else None,
        "location": invoice.location.one_line_address if invoice.location else None,
        "tax zone": invoice.tax_zone.name if invoice.tax_zone else None,
        "business unit": unit.name if unit else None,
        "summary": invoice.summary,
        "purchase order": invoice.purchase_order,
        "type": invoice.type.name if invoice.type else None,
    }
