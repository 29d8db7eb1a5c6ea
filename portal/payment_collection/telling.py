"""Telling a payer what became of a payment that was on its way."""

from __future__ import annotations

from portal.company import company
from portal.invoices import pay_link_url
from portal.outbox import compose, write_message
from portal.payment_collection.settling import PaymentCameBack
from portal.payments import receipt_address


def tell_payer(event: PaymentCameBack) -> None:
    """The debit came back: the invoices are open again, and here is how to pay; idempotent."""
    attempt = event.attempt
    address = attempt.email or receipt_address(attempt.customer)
    if not address:
        return
    subject, text, html = compose(
        "payment_came_back",
        language=attempt.language,
        attempt=attempt,
        links=[(share.invoice, pay_link_url(share.invoice)) for share in attempt.shares],
        company=company(),
    )
    write_message(
        kind="payment came back",
        recipient=address,
        subject=subject,
        body=text,
        html=html,
        language=attempt.language,
        dedupe_key=f"payment-came-back-{attempt.id}",
        about=attempt,
        customer_id=attempt.customer_id,
    )
