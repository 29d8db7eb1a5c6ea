"""What an invoice adds up to: lines, discounts, taxes, balance."""

from __future__ import annotations

from collections.abc import Sequence

from portal.company import today
from portal.db import db
from portal.invoices.credit_tax import credit_taxes
from portal.invoices.crediting import require_room
from portal.invoices.events import InvoiceChanged, InvoiceShrinking
from portal.kernel.events import tell
from portal.kernel.money import ZERO, Money
from portal.models import Invoice, InvoiceKind, InvoiceLine, InvoiceTax, ItemKind
from portal.taxes import ComputedTax, TaxableLine, compute_taxes


def price_invoice(invoice: Invoice) -> None:
    """Recompute lines, taxes, total and balance of a Pending invoice.

    Line total = quantity × unit price, rounded half up; tax per rate and invoice, half up
    (ARCHITECTURE, decision 7). Money already applied beyond the new total goes back to the
    customer's credit first. Raises DomainError when a correction takes off more than is left.
    """
    for position, line in enumerate(invoice.lines):
        line.position = position
        line.total = line.unit_price.extend(line.quantity)
    old_total = invoice.total or ZERO
    with db.session.no_autoflush:  # one flush in the end instead of one per query
        taxes = taxes_of(invoice)
        subtotal = Money.total(line.total for line in invoice.lines)
        _set_total(invoice, subtotal, Money.total(tax.amount for tax in taxes))
        _replace_taxes(invoice, taxes)
        require_room(invoice)
    if invoice.id and invoice.total != old_total:
        tell(InvoiceChanged(invoice, invoice.total - old_total))


def taxes_of(invoice: Invoice) -> list[ComputedTax]:
    """The taxes due on the invoice's date (today while it has none); a credit note's as charged."""
    lines = [_taxable(line) for line in invoice.lines]
    if invoice.kind is InvoiceKind.CREDIT_NOTE and invoice.adjusts is not None:
        return credit_taxes(invoice, lines)
    on = invoice.invoice_date or today()
    if invoice.tax_zone is None or invoice.customer.is_tax_exempt(on):
        return []
    return compute_taxes(lines, invoice.tax_zone.rates_on(on))


def credit_tax_problem(note: Invoice, beside: Sequence[Invoice]) -> str | None:
    """Why the tax of a credit note is not what is left to take back any more, or None.

    It was computed at drafting; the original must be locked for the answer to hold. `beside`
    are notes that become final just before it in the same run.
    """
    if note.kind is not InvoiceKind.CREDIT_NOTE or note.adjusts is None:
        return None
    due = credit_taxes(note, [_taxable(line) for line in note.lines], beside)
    computed = [(t.authority, t.base, t.rate, t.amount) for t in due if t.amount]
    stored = [(t.authority, t.base, t.rate, t.amount) for t in note.taxes if t.amount]
    if computed == stored:
        return None
    return "Refresh the tax: another credit note became final meanwhile."


def take_what_is_left(note: Invoice, beside: Sequence[Invoice]) -> Money:
    """Let a draft credit note take the rest of the tax that notes `beside` it leave.

    Some cents, where each part was rounded for itself. Gives by how much its total changed; the
    draft is saved. The original must be locked.
    """
    before = note.total
    taxes = credit_taxes(note, [_taxable(line) for line in note.lines], beside)
    _set_total(note, note.subtotal, Money.total(tax.amount for tax in taxes))
    _replace_taxes(note, taxes)
    db.session.flush()
    return note.total - before


def tax_is_stale(invoice: Invoice) -> bool:
    """Whether recomputing now would give another tax (the zone or a rate changed)."""
    computed = [(t.authority, t.base, t.rate, t.amount) for t in taxes_of(invoice)]
    stored = [(t.authority, t.base, t.rate, t.amount) for t in invoice.taxes]
    return computed != stored


def _taxable(line: InvoiceLine) -> TaxableLine:
    return TaxableLine(
        total=line.total,
        taxable=line.taxable,
        tax_class=line.tax_class,
        is_discount=line.kind is ItemKind.DISCOUNT,
    )


def _set_total(invoice: Invoice, subtotal: Money, tax_total: Money) -> None:
    applied = (invoice.total or ZERO) - (invoice.balance or ZERO)
    total = subtotal + tax_total
    if invoice.id and applied > max(total, ZERO):
        tell(InvoiceShrinking(invoice, applied - max(total, ZERO)))
        applied = invoice.total - invoice.balance
    invoice.subtotal, invoice.tax_total, invoice.total = subtotal, tax_total, total
    invoice.balance = total - applied


def _replace_taxes(invoice: Invoice, taxes: list[ComputedTax]) -> None:
    invoice.taxes = [
        InvoiceTax(
            position=position,
            authority=tax.authority,
            base=tax.base,
            rate=tax.rate,
            taxable_amount=tax.taxable_amount,
            amount=tax.amount,
        )
        for position, tax in enumerate(taxes)
    ]
