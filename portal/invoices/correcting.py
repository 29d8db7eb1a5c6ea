"""Correcting a final invoice by a new document: adjustment, credit note, write-off."""

from __future__ import annotations

from collections.abc import Mapping

from portal.audit import record
from portal.company import today
from portal.db import db, lock_rows
from portal.invoices.crediting import left_to_credit
from portal.invoices.posting import post_invoice
from portal.invoices.totals import price_invoice
from portal.invoices.wording import document_word, named
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import account_id_for, closed_sentence, is_open, next_number, require_open_period
from portal.models import (
    CREDITING,
    AccountRole,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    JobState,
    ReviewState,
    User,
)


def correction_problem(original: Invoice, kind: InvoiceKind) -> str | None:
    """The first reason why this document cannot be corrected so now, in words, or None.

    Period, then status, then the rules of the kind (servicetitan-rules §7, §8.3).
    """
    day = today()
    if not is_open(day):
        return closed_sentence(day)
    if original.state is InvoiceState.PENDING:
        return f"{named(original)} is not posted yet: edit it instead."
    if not original.is_on_the_books:
        return f"{named(original)} is {original.state}."
    if original.job is not None and original.job.state is not JobState.DONE:
        return "The job is not completed yet."
    if original.kind in CREDITING or original.total < ZERO:
        return f"{document_word(original)} {original.number} takes off already. Unpost it instead."
    if kind is InvoiceKind.CREDIT_NOTE and original.kind is InvoiceKind.FINANCING:
        return "A financing is undone as a whole, not credited."
    if kind is InvoiceKind.CREDIT_NOTE and left_to_credit(original) <= ZERO:
        return f"Nothing of invoice {original.number} is left to credit."
    if kind is InvoiceKind.WRITE_OFF and original.balance <= ZERO:
        return f"Nothing is owed on invoice {original.number}."
    return None


def start_adjustment(original: Invoice, *, because: str = "") -> Invoice:
    """An empty draft dated today that changes what the original's customer owes.

    It has a life, a number and a due date of its own; the original's total never changes.
    Raises PeriodClosed, or DomainError when the original is not final.
    """
    draft = _begin(original, InvoiceKind.ADJUSTMENT, because)
    assert draft.invoice_date is not None
    draft.due_date = draft.term.due_date(draft.invoice_date) if draft.term else None
    price_invoice(draft)
    _save(draft, original)
    return draft


def start_credit_note(
    original: Invoice, quantities: Mapping[int, Quantity] | None = None, *, because: str = ""
) -> Invoice:
    """A draft that takes the original's lines back, all of them or these quantities by line id.

    Editable until posted; taxed as the original was. Raises PeriodClosed, InvalidFields for a
    quantity the line does not have, DomainError for more than is left.
    """
    note = _begin(original, InvoiceKind.CREDIT_NOTE, because)
    note.lines = _credited_lines(original, quantities)
    with db.session.no_autoflush:
        price_invoice(note)
    _save(note, original)
    return note


def write_off(
    original: Invoice, amount: Money | None = None, *, because: str, by: User | None = None
) -> Invoice:
    """Give up what is owed, or part of it: a document against Bad Debt, posted at once.

    No tax is taken back. Undone by unposting it. Raises PeriodClosed, InvalidFields without a
    reason or for an amount outside the balance (servicetitan-rules §8.3).
    """
    document = _begin(original, InvoiceKind.WRITE_OFF, because)
    _check_write_off(original, amount, because)
    document.tax_zone = None
    document.review_state = ReviewState.REVIEWED
    document.lines = [_bad_debt_line(amount or original.balance, document.reason)]
    with db.session.no_autoflush:
        price_invoice(document)
    _save(document, original)
    post_invoice(document, by=by)
    return document


def _begin(original: Invoice, kind: InvoiceKind, because: str) -> Invoice:
    """The bare document, with the original locked until the transaction ends."""
    db.session.flush()
    lock_rows(Invoice, [original.id])
    day = max(today(), original.invoice_date or today())
    require_open_period(day)
    if problem := correction_problem(original, kind):
        raise DomainError(problem)
    return Invoice(
        kind=kind,
        adjusts=original,
        customer=original.customer,
        location=original.location,
        tax_zone=original.tax_zone,
        term=original.term,
        business_unit_id=original.business_unit_id,
        type_id=original.type_id,
        purchase_order=original.purchase_order,
        invoice_date=day,
        reason=because.strip(),
        lines=[],
        taxes=[],
    )


def _save(draft: Invoice, original: Invoice) -> None:
    """Number it last, save it, and tell both timelines."""
    assert draft.invoice_date is not None
    draft.reference_number = next_number("M", draft.invoice_date)[0]
    db.session.add(draft)
    words = document_word(draft)
    why = f": {draft.reason}" if draft.reason else "."
    record("created", draft, f"{words} {draft.number} was begun for invoice {original.number}{why}")
    record("corrected", original, f"{words} {draft.number} was begun for it{why}")


def _credited_lines(
    original: Invoice, quantities: Mapping[int, Quantity] | None
) -> list[InvoiceLine]:
    whole = {line.id: line.quantity for line in original.lines}
    wanted = whole if quantities is None else quantities
    errors = {}
    lines: list[InvoiceLine] = []
    for line in original.lines:
        if line.id not in wanted:
            continue
        quantity = wanted[line.id]
        if not 0 < quantity.value / line.quantity.value <= 1:
            errors[f"quantity_{line.id}"] = f"Give a quantity up to {line.quantity}."
        lines.append(_credited(line, quantity, position=len(lines)))
    if errors:
        raise InvalidFields(errors)
    if not lines:
        raise DomainError("Tick at least one line to credit.")
    return lines


def _credited(line: InvoiceLine, quantity: Quantity, *, position: int) -> InvoiceLine:
    return InvoiceLine(
        position=position,
        item=line.item,
        kind=line.kind,
        code=line.code,
        description=line.description,
        unit=line.unit,
        unit_cost=line.unit_cost,
        unit_price=line.unit_price,
        quantity=-quantity,
        taxable=line.taxable,
        tax_class=line.tax_class,
        income_account_id=line.income_account_id,
        technician_id=line.technician_id,
    )


def _check_write_off(original: Invoice, amount: Money | None, because: str) -> None:
    errors = {}
    if amount is not None and amount <= ZERO:
        errors["amount"] = "Give an amount of at least one cent."
    elif amount is not None and amount > original.balance:
        errors["amount"] = f"Only {original.balance} is still owed."
    if not because.strip():
        errors["because"] = "Say why this is not going to be paid."
    if errors:
        raise InvalidFields(errors)


def _bad_debt_line(amount: Money, because: str) -> InvoiceLine:
    return InvoiceLine(
        position=0,
        description=f"Written off: {because}",
        quantity=Quantity.of(-1),
        unit_price=UnitPrice.of(amount.amount),
        taxable=False,
        income_account_id=account_id_for(AccountRole.BAD_DEBT),
    )
