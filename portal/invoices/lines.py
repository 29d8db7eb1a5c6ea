"""Writing the lines of an invoice: from the price book, or in words and a price of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.audit import Happening, record_many
from portal.db import db
from portal.invoices.totals import price_invoice
from portal.kernel.errors import InvalidFields, NotFound
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import income_account_for
from portal.models import Invoice, InvoiceKind, InvoiceLine, ItemKind, PriceBookItem, TaxClass
from portal.pricebook import price_for


@dataclass(frozen=True)
class LineWords:
    """One line as typed: either an item of the price book or words and a price of its own.

    A unit price of None takes the customer's price of the item. Discounts are given as
    positive prices and taken off; so are the quantities of a credit note (`Invoice.shown`).
    """

    description: str
    quantity: Quantity
    unit_price: UnitPrice | None = None
    item: PriceBookItem | None = None
    kind: ItemKind = ItemKind.SERVICE
    taxable: bool = True
    tax_class: TaxClass = TaxClass.OTHER
    technician_id: int | None = None
    job_log_id: int | None = None
    income_account_id: int | None = None  # for words of one's own; an item brings its own


def append_lines(invoice: Invoice, lines: Sequence[LineWords]) -> list[InvoiceLine]:
    """Put lines at the end in this order and price the invoice; all of them or none.

    Raises InvalidFields when one is wrong.
    """
    added: list[InvoiceLine] = []
    for words in lines:
        line = InvoiceLine(position=len(invoice.lines) + len(added))
        write_line(invoice, line, words)
        added.append(line)
    invoice.lines.extend(added)
    price_invoice(invoice)
    return added


def record_lines(invoice: Invoice, added: Sequence[InvoiceLine]) -> None:
    """Tell of new lines in the timeline of a saved invoice."""
    record_many(
        [
            Happening(
                "line added",
                "invoice",
                invoice.id,
                f"Line “{line.description}” was added: {invoice.shown(line.total)}.",
            )
            for line in added
        ]
    )


def find_line(invoice: Invoice, line_id: int) -> InvoiceLine | None:
    """A line of this invoice, None when it was taken off; NotFound for another invoice's."""
    line = db.session.get(InvoiceLine, line_id)
    if line is not None and line.invoice_id != invoice.id:
        raise NotFound("There is nothing here, or it is not yours to see.")
    return line


def write_line(invoice: Invoice, line: InvoiceLine, words: LineWords) -> None:
    """Copy words onto a line; a price-book item brings kind, tax class, price and account."""
    errors = {}
    kind = words.item.kind if words.item else words.kind
    if problem := _quantity_problem(invoice, kind, words.quantity):
        errors["quantity"] = problem
    if not words.description.strip() and words.item is None:
        errors["description"] = "Say what this line is for."
    if words.item is None and words.unit_price is None:
        errors["unit_price"] = "Give a price: this line is not from the price book."
    if errors:
        raise InvalidFields(errors)
    item = words.item
    price = words.unit_price
    if price is None:
        assert item is not None
        price = price_for(item, invoice.customer)
    line.item = item
    line.kind = kind
    line.code = item.code if item else ""
    line.unit = item.unit if item else "each"
    line.unit_cost = item.unit_cost if item else UnitPrice(0)
    line.income_account_id = words.income_account_id
    if item:
        line.income_account_id = item.income_account_id or income_account_for(item.kind)
    line.taxable = words.taxable if item is None else item.taxable and words.taxable
    line.tax_class = item.tax_class if item else words.tax_class
    line.description = words.description.strip() or (item.name if item else "")
    line.quantity = invoice.shown(words.quantity)
    line.unit_price = -abs_price(price) if line.kind is ItemKind.DISCOUNT else price
    line.technician_id = words.technician_id
    line.job_log_id = words.job_log_id


def _quantity_problem(invoice: Invoice, kind: ItemKind, quantity: Quantity) -> str:
    """Only adjustments take off by a negative quantity; what takes off anyway is typed positive."""
    if not quantity:
        return "Give a quantity other than zero."
    if quantity > Quantity(0):
        return ""
    if kind is ItemKind.DISCOUNT:
        return "A discount takes off: give a quantity above zero."
    if invoice.sign < 0:
        return "A credit takes off by itself: give a quantity above zero."
    if invoice.kind is not InvoiceKind.ADJUSTMENT:
        return "Give a quantity above zero. To take something off, post it and adjust it."
    return ""


def abs_price(price: UnitPrice) -> UnitPrice:
    return UnitPrice(abs(price.scaled))
