"""A sale at the counter: invoice, posting and payment in one step, or nothing of it.

Source: servicetitan-rules §15 (point of sale: no job, no location).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.company import company, today
from portal.customers import CustomerWords, add_customer
from portal.db import db, lock_alone
from portal.invoices import (
    LineWords,
    ManualInvoice,
    default_term,
    post_invoice,
    price_draft,
    start_manual_invoice,
)
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity
from portal.models import (
    Customer,
    Invoice,
    InvoiceKind,
    Payment,
    PaymentMethod,
    PaymentType,
    ReviewState,
    TaxZone,
    User,
)
from portal.payments.receiving import ReceivedMoney, receive_payment
from portal.taxes import active_zones, suggest_zone
from portal.terms import due_on_receipt

ANYBODY = "fieldledger: counter customer"  # the key of the one customer who gives no name


@dataclass(frozen=True)
class CounterSale:
    """What is sold to whom and how it is paid; without `paid_by` it goes on account.

    `tendered` is the cash handed over. A customer of None is whoever walks in.
    """

    customer: Customer | None
    lines: Sequence[LineWords]
    tax_zone: TaxZone | None = None
    business_unit_id: int | None = None
    paid_by: PaymentType | None = None
    tendered: Money | None = None
    reference: str = ""


@dataclass(frozen=True)
class Sold:
    """What one press made; no payment when it went on account or cost nothing."""

    invoice: Invoice
    payment: Payment | None
    change: Money


def price_sale(sale: CounterSale) -> Invoice:
    """What the sale comes to, unsaved; InvalidFields when a line is wrong."""
    return price_draft(_draft(sale, sale.customer or _anybody() or Customer()), sale.lines)


def change_for(sale: CounterSale, total: Money) -> Money:
    """What goes back of the cash handed over.

    Raises InvalidFields when it does not cover the total, or was typed for a card or check.
    """
    if sale.tendered is None or sale.paid_by is None:
        return ZERO
    if sale.paid_by.method is not PaymentMethod.CASH:
        if sale.tendered == total:
            return ZERO
        raise InvalidFields({"tendered": "Only cash gives change. Leave this empty."})
    if sale.tendered < total:
        raise InvalidFields({"tendered": f"{total - sale.tendered} are missing."})
    return sale.tendered - total


def sell_at_counter(sale: CounterSale, *, seen: Money | None, by: User | None = None) -> Sold:
    """Make the invoice, post it and receive the money: all of it or, when refused, nothing.

    `seen` is the total somebody looked at. Raises DomainError when it is another one now,
    InvalidFields, PeriodClosed.
    """
    _check(sale)
    with db.session.begin_nested():
        draft = _draft(sale, sale.customer or counter_customer())
        invoice = start_manual_invoice(draft, sale.lines)
        if seen != invoice.total:
            raise DomainError(f"It comes to {invoice.total}. Look at it, then press again.")
        if invoice.total < ZERO:
            raise DomainError("This adds up to less than zero; money is given back as a refund.")
        change = change_for(sale, invoice.total)
        invoice.review_state = ReviewState.REVIEWED  # whoever sells it looked at it
        if sale.paid_by is not None:
            invoice.due_date = invoice.invoice_date
        post_invoice(invoice, by=by)
        return Sold(invoice, _receive(sale, invoice, change), change)


def counter_customer() -> Customer:
    """The customer for whoever walks in without a name; made once."""
    lock_alone(ANYBODY)
    known = _anybody()
    return known or add_customer(CustomerWords(name="Counter customer"), external_key=ANYBODY)


def counter_zone() -> TaxZone | None:
    """The tax zone of who walks in: the one the settings name, else where the company's own ZIP
    lies, if that is one zone, else the only zone there is. One that was retired does not count."""
    zones = active_zones()
    chosen = next((one for one in zones if one.id == company().walk_in_zone_id), None)
    only = zones[0] if len(zones) == 1 else None
    return chosen or suggest_zone(company().postal_code).zone or only


def _anybody() -> Customer | None:
    return db.session.scalar(sa.select(Customer).where(Customer.external_key == ANYBODY))


def _check(sale: CounterSale) -> None:
    if not sale.lines:
        raise DomainError("Nothing is sold yet: give at least one line.")
    if any(line.quantity < Quantity(0) for line in sale.lines):
        raise DomainError("A quantity is below zero. What comes back is refunded or credited.")
    nameless = sale.customer is None or sale.customer.external_key == ANYBODY
    if sale.paid_by is None and nameless:
        raise InvalidFields(
            {"type_id": "Choose how it is paid, or for whom it goes on account: name a customer."}
        )


def _draft(sale: CounterSale, customer: Customer) -> ManualInvoice:
    """Due at once when paid; on account the customer's own term holds."""
    term = default_term(customer)
    return ManualInvoice(
        customer=customer,
        kind=InvoiceKind.POINT_OF_SALE,
        invoice_date=today(),
        term=term if sale.paid_by is None else due_on_receipt() or term,
        business_unit_id=sale.business_unit_id,
        tax_zone=sale.tax_zone,
    )


def _receive(sale: CounterSale, invoice: Invoice, change: Money) -> Payment | None:
    if sale.paid_by is None or invoice.total == ZERO:
        return None
    money = ReceivedMoney(
        customer=invoice.customer,
        amount=invoice.total,
        type=sale.paid_by,
        on=today(),
        reference=sale.reference,
        memo=f"{sale.tendered} given, {change} change" if change else "",
    )
    return receive_payment(money, [(invoice, invoice.total)])
