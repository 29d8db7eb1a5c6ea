"""Telling a payer what became of a payment that was on its way."""

from __future__ import annotations

from portal.company import company, format_money
from portal.invoices import pay_link_url, portal_url
from portal.kernel.money import Money
from portal.models import AttemptPurpose, Channel, PaymentAttempt
from portal.outbox import Values, locale_of, spoken, words_for, write_letter, write_message
from portal.payment_collection.refusals import refusal_words
from portal.payment_collection.settling import PaymentCameBack
from portal.payments import receipt_address

PLANNED = (AttemptPurpose.AUTOPAY, AttemptPurpose.BULK)
STILL_DUE = {
    "en": "Invoice {number}: {balance} due",
    "es": "Factura {number}: {balance} pendiente",
    "fr": "Facture {number} : {balance} à payer",
}


def tell_payer(event: PaymentCameBack) -> None:
    """The debit came back: the invoices are open again, and here is how to pay; idempotent."""
    attempt = event.attempt
    if attempt.purpose in PLANNED:
        return  # the planned charge tells of it, with the day of the next try
    address = attempt.email or receipt_address(attempt.customer)
    if not address:
        return
    language = spoken(attempt.language)
    words = words_for("payment_came_back", Channel.EMAIL, language)
    letter = write_letter(words, came_back_values(attempt), language)
    write_message(
        kind="payment came back",
        recipient=address,
        subject=letter.subject,
        body=letter.text,
        html=letter.html(language),
        language=language,
        dedupe_key=f"payment-came-back-{attempt.id}",
        about=attempt,
        customer_id=attempt.customer_id,
    )


def came_back_values(attempt: PaymentAttempt) -> Values:
    """What the placeholders stand for: each invoice that is open again, with its own link."""
    language = spoken(attempt.language)
    locale, currency = locale_of(language), company().currency
    invoices = [share.invoice for share in attempt.shares]
    lines = []
    for one in invoices:
        balance = format_money(one.balance, locale, currency)
        lines += [STILL_DUE[language].format(number=one.number, balance=balance), pay_link_url(one)]
    owed = Money.total(one.balance for one in invoices)
    return {
        "customer_name": attempt.customer.name,
        "number": ", ".join(one.number for one in invoices),
        "total": attempt.amount,
        "balance": owed if owed else "",
        "pay_link": pay_link_url(invoices[0]) if len(invoices) == 1 else portal_url(),
        "portal_link": portal_url(),
        "summary": "\n".join(lines),
        "reason": refusal_words(attempt.failure_code, attempt.language),
        "company_name": company().name,
    }
