"""The document that takes revenue and sales tax back when money is given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal.audit import Happening, record_many
from portal.db import db
from portal.invoices import post_invoice
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import next_number
from portal.models import (
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceTax,
    ReviewState,
    TaxBase,
    TaxClass,
)


@dataclass(frozen=True)
class RefundShares:
    """What a refund takes off each line and each tax of an invoice; positive, to the cent."""

    lines: Sequence[tuple[InvoiceLine, Money]]
    taxes: Sequence[tuple[InvoiceTax, Money]]

    @property
    def revenue(self) -> Money:
        return Money.total(share for _, share in self.lines)

    @property
    def tax(self) -> Money:
        return Money.total(share for _, share in self.taxes)

    @property
    def total(self) -> Money:
        return self.revenue + self.tax


def shares_of_amount(invoice: Invoice, amount: Money) -> RefundShares:
    """An amount shared over the lines and taxes of the original as they add up in it."""
    weights = [max(invoice.subtotal.cents, 0), *(max(t.amount.cents, 0) for t in invoice.taxes)]
    if sum(weights) <= 0:
        raise DomainError(f"Invoice {invoice.number} charged nothing that could be given back.")
    net, *taxes = amount.split(weights)
    return RefundShares(_over_lines(invoice, net), list(zip(invoice.taxes, taxes, strict=True)))


def shares_of_lines(invoice: Invoice, line_ids: Sequence[int]) -> RefundShares:
    """Whole lines of the original with their shares of each tax."""
    chosen = [line for line in invoice.lines if line.id in line_ids]
    taxes = []
    for tax in invoice.taxes:
        weights = [_weight(line, tax) for line in invoice.lines]
        parts = tax.amount.split(weights) if sum(weights) else [ZERO] * len(weights)
        share = Money.total(
            part for line, part in zip(invoice.lines, parts, strict=True) if line in chosen
        )
        taxes.append((tax, share))
    return RefundShares([(line, line.total) for line in chosen], taxes)


def make_refund_document(
    invoice: Invoice, shares: RefundShares, *, on: date, reason: str
) -> Invoice:
    """A posted document of kind REFUND with these shares negative; its credit is for paying out.

    Raises what posting raises: closed period, more than the original has left.
    """
    document = Invoice(
        kind=InvoiceKind.REFUND, customer=invoice.customer, location=invoice.location,
        business_unit_id=invoice.business_unit_id, term=invoice.term,
        tax_zone=invoice.tax_zone, adjusts=invoice, reference_number=next_number("M", on)[0],
        invoice_date=on, due_date=on, reason=reason, review_state=ReviewState.REVIEWED,
        summary=f"Refund for invoice {invoice.number}: {reason}",
        subtotal=-shares.revenue, tax_total=-shares.tax, total=-shares.total,
        balance=-shares.total, lines=_lines(shares), taxes=_taxes(shares),
    )  # fmt: skip
    db.session.add(document)
    db.session.flush()
    post_invoice(document)
    record_many(
        [
            Happening("refunded", "invoice", invoice.id,
                      f"Refund {document.number} takes {shares.total} off it: {reason}."),
            Happening("created", "invoice", document.id,
                      f"Refund for invoice {invoice.number}: {reason}."),
        ]
    )  # fmt: skip
    return document


def _over_lines(invoice: Invoice, net: Money) -> list[tuple[InvoiceLine, Money]]:
    """Discounts shrink in the same proportion, so that the shares add up to `net` exactly."""
    off = Money.total(line.total for line in invoice.lines if line.total < ZERO)
    part = off.times(Decimal(net.cents) / Decimal(invoice.subtotal.cents)) if off else ZERO
    shares: dict[InvoiceLine, Money] = {}
    for amount, lines in (
        (net - part, [line for line in invoice.lines if line.total > ZERO]),
        (part, [line for line in invoice.lines if line.total < ZERO]),
    ):
        if lines:
            weights = [abs(line.total.cents) for line in lines]
            shares.update(zip(lines, amount.split(weights), strict=True))
    return [(line, shares[line]) for line in invoice.lines if shares.get(line)]


def _weight(line: InvoiceLine, tax: InvoiceTax) -> int:
    """Which lines a tax was charged on; discounts already lowered the others' shares."""
    labor = line.tax_class is TaxClass.LABOR
    covered = {TaxBase.SUBTOTAL: True, TaxBase.LABOR: labor, TaxBase.MATERIAL: not labor}
    return max(line.total.cents, 0) if line.taxable and covered[tax.base] else 0


def _lines(shares: RefundShares) -> list[InvoiceLine]:
    return [
        InvoiceLine(
            position=position, item_id=line.item_id, kind=line.kind, code=line.code,
            description=line.description, unit=line.unit, taxable=line.taxable,
            tax_class=line.tax_class, income_account_id=line.income_account_id, total=-share,
            **_price(line, share),
        )
        for position, (line, share) in enumerate(shares.lines)
    ]  # fmt: skip


def _price(line: InvoiceLine, share: Money) -> dict[str, Quantity | UnitPrice]:
    """Its own quantity and price when all of it goes back, else once the part of it."""
    if share == line.total:
        return {"quantity": -line.quantity, "unit_price": line.unit_price}
    return {"quantity": Quantity.of(-1), "unit_price": UnitPrice.of(share.amount)}


def _taxes(shares: RefundShares) -> list[InvoiceTax]:
    return [
        InvoiceTax(
            position=position, authority=tax.authority, base=tax.base, rate=tax.rate,
            taxable_amount=-tax.taxable_amount.times(
                Decimal(share.cents) / Decimal(tax.amount.cents)
            ),
            amount=-share,
        )
        for position, (tax, share) in enumerate(pair for pair in shares.taxes if pair[1])
    ]  # fmt: skip
