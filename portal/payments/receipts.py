"""Telling the customer that money arrived."""

from __future__ import annotations

from collections.abc import Sequence

from portal.company import company, format_money
from portal.invoices import portal_url
from portal.kernel.money import Money
from portal.models import BillingAccess, Channel, Customer, Invoice, Payment
from portal.outbox import (
    Attachment,
    Values,
    locale_of,
    spoken,
    words_for,
    write_letter,
    write_message,
)
from portal.payments.receiving import PaymentReceived

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
    """Queue one receipt per payment, in the transaction that records it; idempotent.

    Money brought in by import is old news and gets none.
    """
    payment = event.payment
    address = event.receipt_to or receipt_address(payment.customer)
    if payment.external_key or not address:
        return
    language = spoken(payment.customer.language)
    letter = write_letter(
        words_for("receipt", Channel.EMAIL, language),
        receipt_values(payment, event.invoices),
        language,
        notice="" if payment.livemode else TEST[language],
    )
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


def receipt_values(payment: Payment, invoices: Sequence[Invoice]) -> Values:
    """What the placeholders of a receipt stand for."""
    language = spoken(payment.customer.language)
    locale, currency = locale_of(language), company().currency
    lines = [
        STILL_DUE[language].format(
            number=one.number, balance=format_money(one.balance, locale, currency)
        )
        for one in invoices
    ]
    owed = Money.total(one.balance for one in invoices)
    return {
        "customer_name": payment.customer.name,
        "number": f"R-{payment.id:06}",
        "total": payment.amount,
        "balance": owed if owed else "",
        "date": payment.received_on,
        "portal_link": portal_url(),
        "summary": "\n".join(lines),
        "company_name": company().name,
    }


def receipt_address(customer: Customer) -> str:
    """Where a receipt goes when the payer gave no address: may be nowhere, an empty text."""
    for contact in customer.contacts:
        if contact.active and contact.email and contact.billing_access is not BillingAccess.NONE:
            return contact.email
    return customer.email
