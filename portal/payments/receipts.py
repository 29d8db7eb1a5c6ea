"""Telling the customer that money arrived."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from portal.company import company, format_money
from portal.db import NO_MONEY, db
from portal.invoices import guest_link, mobile_numbers, portal_url
from portal.kernel.money import Money
from portal.models import (
    BillingAccess,
    Channel,
    Customer,
    Delivery,
    Invoice,
    Payment,
    PaymentApplication,
    PaymentOrigin,
)
from portal.outbox import (
    Attachment,
    Letter,
    Values,
    locale_of,
    spoken,
    words_for,
    write_letter,
    write_message,
)
from portal.payments.receiving import PaymentReceived
from portal.payments.taking_back import live_applications

STILL_DUE = {
    "en": "Invoice {number}: still due {balance}",
    "es": "Factura {number}: pendiente {balance}",
    "fr": "Facture {number} : reste à payer {balance}",
}
TEST = {
    "en": "This was a TEST payment: no money moved.",
    "es": "Este fue un pago de PRUEBA: no se movió dinero.",
    "fr": "Ceci était un paiement de TEST : aucun argent n’a été transféré.",
}


def send_receipt(event: PaymentReceived) -> None:
    """Queue the receipt of a payment in the transaction that records it; idempotent.

    By mail to who paid, else to the billing contact; a customer who wants text messages gets a
    text with a link instead, and beside it the mail only where who paid gave an address. Money
    brought in by import is old news and gets none.
    """
    payment = event.payment
    if payment.external_key:
        return
    for number in receipt_numbers(payment.customer):
        _text(payment, event.invoices, number)
    if address := receipt_email(payment.customer, event.receipt_to):
        _mail(payment, event.invoices, address)


def receipt_email(customer: Customer, given: str = "") -> str:
    """Where the receipt is mailed to: who paid first; nowhere where a text goes instead."""
    if given or receipt_numbers(customer):
        return given
    return receipt_address(customer)


def receipt_numbers(customer: Customer) -> list[str]:
    """The mobiles a receipt goes to by text: none unless the customer prefers texts."""
    return mobile_numbers(customer) if customer.delivery is Delivery.SMS else []


def _mail(payment: Payment, invoices: Sequence[Invoice], address: str) -> None:
    letter = _letter(payment, invoices, Channel.EMAIL)
    language = spoken(payment.customer.language)
    write_message(
        kind="receipt",
        recipient=address,
        subject=letter.subject,
        body=letter.text,
        html=letter.html(language),
        language=language,
        dedupe_key=f"receipt-{payment.id}",
        about=payment,
        customer_id=payment.customer_id,
        attachments=[Attachment("receipt", payment.id, f"receipt-{payment.id}.pdf")],
    )


def _text(payment: Payment, invoices: Sequence[Invoice], number: str) -> None:
    write_message(
        kind="receipt",
        channel=Channel.SMS,
        recipient=number,
        subject="",
        body=_letter(payment, invoices, Channel.SMS).text,
        language=spoken(payment.customer.language),
        dedupe_key=f"receipt-{payment.id}-{number}",
        about=payment,
        customer_id=payment.customer_id,
    )


def _letter(payment: Payment, invoices: Sequence[Invoice], channel: Channel) -> Letter:
    language = spoken(payment.customer.language)
    return write_letter(
        words_for("receipt", channel, language),
        receipt_values(payment, invoices, language),
        language,
        notice="" if payment.livemode else TEST[language],
    )


def receipt_values(
    payment: Payment, invoices: Sequence[Invoice], language: str, *, makes_link: bool = True
) -> Values:
    """What the placeholders of a receipt stand for; a preview makes no link of its own."""
    locale, currency = locale_of(language), company().currency
    lines = [
        STILL_DUE[language].format(
            number=one.number, balance=format_money(one.balance, locale, currency)
        )
        for one in invoices
    ]
    owed = Money.total(one.balance for one in invoices)
    alone = invoices[0] if len(invoices) == 1 else None
    return {
        "customer_name": payment.customer.name,
        "number": f"R-{payment.id:06}",
        "total": payment.amount,
        "balance": owed if owed else "",
        "date": payment.received_on,
        "pay_link": guest_link(alone, makes_link=makes_link) if alone else portal_url(),
        "portal_link": portal_url(),
        "summary": "\n".join(lines),
        "company_name": company().name,
    }


def newest_receipt() -> tuple[Payment, list[Invoice]] | None:
    """The newest money received and what it paid, to show the words of a receipt with."""
    newest = (
        sa.select(Payment)
        .where(Payment.origin == PaymentOrigin.MONEY, Payment.amount > NO_MONEY)
        .order_by(Payment.id.desc())
    )
    payment = db.session.scalars(newest.limit(1)).first()
    if payment is None:
        return None
    rows = live_applications(PaymentApplication.payment_id == payment.id)
    return payment, list(dict.fromkeys(row.invoice for row in rows))


def receipt_address(customer: Customer) -> str:
    """Where a receipt goes when the payer gave no address: may be nowhere, an empty text."""
    for contact in customer.contacts:
        if contact.active and contact.email and contact.billing_access is not BillingAccess.NONE:
            return contact.email
    return customer.email
