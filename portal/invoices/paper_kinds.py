"""What each kind of invoice is called on paper and says about itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.db import db
from portal.invoices.paper_history import PaperAmount, gives_credit
from portal.kernel.money import ZERO, Money
from portal.models import ON_THE_BOOKS, Invoice, InvoiceKind


@dataclass(frozen=True)
class PaperWords:
    """What the document is called and says about itself.

    `box_title`, `box_amount` and `box_note` are what meets the eye first; `box_note` is empty
    where the due date stands there. `last_title` names the last line of the sums.
    """

    title: str
    about: str
    box_title: str
    box_amount: Money
    box_note: str
    last_title: str
    notes: Sequence[str]


def words_of(invoice: Invoice) -> PaperWords:
    """The title, the box, the notes and the last line of this kind of document."""
    title, about = _titles(invoice)
    box = _credit_box(invoice) if gives_credit(invoice) else _owed_box(invoice)
    number = _other(invoice)
    return PaperWords(
        title=title,
        about=f"{about} {number}" if number and about else "",
        box_title=box[0],
        box_amount=box[1],
        box_note=box[2],
        last_title=_("Left as credit") if gives_credit(invoice) else _("Amount due"),
        notes=_notes(invoice),
    )


def _titles(invoice: Invoice) -> tuple[str, str]:
    plain = {
        InvoiceKind.ADJUSTMENT: (_("Adjustment"), _("Adjusts invoice")),
        InvoiceKind.CREDIT_NOTE: (_("Credit note"), _("Credits invoice")),
        InvoiceKind.REFUND: (_("Refund"), _("Refunds invoice")),
        InvoiceKind.WRITE_OFF: (_("Balance write-off"), _("Writes off invoice")),
        InvoiceKind.INTEREST: (_("Interest invoice"), _("For invoice")),
    }
    if invoice.kind is InvoiceKind.POINT_OF_SALE:
        return (_("Invoice and receipt") if _is_settled(invoice) else _("Invoice")), ""
    if invoice.kind is InvoiceKind.FINANCING:
        taken_over = invoice.total >= ZERO
        return (_("Invoice") if taken_over else _("Transfer to financing")), _("Moves invoice")
    return plain.get(invoice.kind, (_("Invoice"), ""))


def _other(invoice: Invoice) -> str:
    """The number of the document this one is about."""
    other = invoice.adjusts
    if other is None and invoice.transfers_id:
        other = db.session.get(Invoice, invoice.transfers_id)
    return other.number if other else ""


def _is_settled(invoice: Invoice) -> bool:
    return invoice.is_on_the_books and invoice.total > ZERO and not invoice.balance


def _credit_box(invoice: Invoice) -> tuple[str, Money, str]:
    amount = abs(invoice.total)
    if invoice.kind is InvoiceKind.WRITE_OFF:
        return _("Written off"), amount, _("Internal notice: not for the customer")
    if invoice.kind is InvoiceKind.FINANCING:
        return _("Moved"), amount, _("Owed by the financing party from now on")
    return _("Credit to you"), amount, _("This is not a request for payment")


def _owed_box(invoice: Invoice) -> tuple[str, Money, str]:
    if invoice.balance:
        return _("Amount due"), invoice.balance, ""
    if invoice.kind is InvoiceKind.POINT_OF_SALE and _is_settled(invoice):
        return _("Paid"), invoice.total, _("Paid in full. Thank you.")
    if invoice.total:
        return _("Nothing to pay"), invoice.balance, _("Paid in full. Thank you.")
    return _("Nothing to pay"), invoice.balance, _("This work was free of charge.")


def _notes(invoice: Invoice) -> list[str]:
    notes = []
    if gives_credit(invoice) and not invoice.is_on_the_books:
        notes.append(_("The credit can be used once this document is final."))
    if invoice.kind is InvoiceKind.WRITE_OFF and invoice.reason:
        notes.append(_("Reason: %(why)s", why=invoice.reason))
    if invoice.customer.electronic_invoice and not invoice.is_on_the_books:
        notes.append(_("The electronic invoice is made when this document is final."))
    return notes


def family_of(invoice: Invoice) -> list[PaperAmount]:
    """An adjustment beside its original and the others that adjust it, with what is owed now."""
    original = invoice.adjusts
    if invoice.kind is not InvoiceKind.ADJUSTMENT or original is None:
        return []
    others = db.session.scalars(
        sa.select(Invoice)
        .where(Invoice.adjusts_id == original.id, Invoice.state.in_(ON_THE_BOOKS))
        .order_by(Invoice.invoice_date, Invoice.id)
    )
    family = list(dict.fromkeys([original, *others, invoice]))
    rows = [PaperAmount(f"{_titles(one)[0]} {one.number}", one.total) for one in family]
    together = Money.total(row.amount for row in rows)
    owed = Money.total(one.balance for one in family if one.balance > ZERO)
    return [*rows, PaperAmount(_("Together"), together), PaperAmount(_("Still owed"), owed)]
