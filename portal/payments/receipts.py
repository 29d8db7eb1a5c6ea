"""Telling the customer that money arrived."""

from __future__ import annotations

from portal.company import company
from portal.models import BillingAccess, Customer
from portal.outbox import Attachment, compose, write_message
from portal.payments.receiving import PaymentReceived


def send_receipt(event: PaymentReceived) -> None:
    """Queue one receipt per payment, in the transaction that records it; idempotent.

    Money brought in by import is old news and gets none.
    """
    payment = event.payment
    address = event.receipt_to or receipt_address(payment.customer)
    if payment.external_key or not address:
        return
    subject, text, html = compose(
        "receipt",
        language=payment.customer.language,
        payment=payment,
        invoices=event.invoices,
        company=company(),
    )
    write_message(
        kind="receipt",
        recipient=address,
        subject=subject,
        body=text,
        html=html,
        language=payment.customer.language,
        dedupe_key=f"receipt-{payment.id}",
        about=payment,
        customer_id=payment.customer_id,
        attachments=[Attachment("receipt", payment.id, f"receipt-{payment.id}.pdf")],
    )


def receipt_address(customer: Customer) -> str:
    """Where a receipt goes when the payer gave no address: may be nowhere, an empty text."""
    for contact in customer.contacts:
        if contact.active and contact.email and contact.billing_access is not BillingAccess.NONE:
            return contact.email
    return customer.email
