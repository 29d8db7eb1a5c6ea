"""What customers are told about planned charges: beforehand, and when one failed."""

from __future__ import annotations

from collections.abc import Sequence

from portal.company import company, format_day
from portal.invoices import pay_link_url, portal_url
from portal.kernel.money import Money
from portal.models import Channel, ChargeSource, Customer, Invoice, PlannedCharge, SavedMethod
from portal.outbox import Values, locale_of, spoken, words_for, write_letter, write_message
from portal.payments import receipt_address

AGAIN = {
    "en": "We try again on {day}.",
    "es": "Lo intentaremos de nuevo el {day}.",
    "fr": "Nous réessaierons le {day}.",
}
NO_MORE = {
    "en": "We do not try again by ourselves: please pay, or choose another payment method.",
    "es": "No lo intentaremos de nuevo por nuestra cuenta: pague o elija otro método de pago.",
    "fr": "Nous ne réessaierons pas : veuillez payer ou choisir un autre moyen de paiement.",
}
ON_FILE = {
    "en": "your payment method",
    "es": "su método de pago",
    "fr": "votre moyen de paiement",
}


def no_address_for(customer: Customer) -> bool:
    """Whether nobody at the customer could be told."""
    return not receipt_address(customer)


def write_notice(charge: PlannedCharge, method: SavedMethod) -> None:
    """Amount, day, method and how to stop it, before autopay charges; once per day of charge."""
    invoices = [charge.invoice] if charge.invoice else []
    values = _values(charge, invoices, method.label, charge.amount or Money())
    values = {**values, "date": charge.charge_on}
    _write("autopay_notice", charge, values, f"autopay-notice-{charge.id}-{charge.charge_on}")


def write_failure(charge: PlannedCharge, *, reason: str) -> None:
    """It was not paid: why, what happens next, how to pay now or use another method."""
    attempt = charge.attempt
    invoices = [share.invoice for share in attempt.shares] if attempt else []
    if not invoices and charge.invoice is not None:
        invoices = [charge.invoice]
    label = attempt.method.label if attempt and attempt.method else ""
    amount = attempt.amount if attempt else charge.amount
    language = spoken(charge.customer.language)
    values = _values(charge, invoices, label or ON_FILE[language], amount or Money())
    values = {**values, "reason": reason, "summary": _what_next(charge, language)}
    key = f"charge-failed-{charge.id}-{charge.attempt_id or 0}-{charge.tries}"
    _write("charge_failed", charge, values, key)


def _what_next(charge: PlannedCharge, language: str) -> str:
    if charge.next_try_on is None:
        return NO_MORE[language]
    return AGAIN[language].format(day=format_day(charge.next_try_on, locale_of(language), "long"))


def _values(
    charge: PlannedCharge, invoices: Sequence[Invoice], method: str, amount: Money
) -> Values:
    place = "autopay" if charge.source is ChargeSource.AUTOPAY else "payment-methods"
    return {
        "customer_name": charge.customer.name,
        "number": ", ".join(one.number for one in invoices),
        "total": amount,
        "pay_link": pay_link_url(invoices[0]) if len(invoices) == 1 else portal_url(),
        "portal_link": portal_url(),
        "manage_link": f"{portal_url()}{place}",
        "method": method,
        "company_name": company().name,
    }


def _write(kind: str, charge: PlannedCharge, values: Values, key: str) -> None:
    address = receipt_address(charge.customer)
    if not address:
        return
    language = spoken(charge.customer.language)
    letter = write_letter(words_for(kind, Channel.EMAIL, language), values, language)
    write_message(
        kind=kind.replace("_", " "),
        recipient=address,
        subject=letter.subject,
        body=letter.text,
        html=letter.html(language),
        language=language,
        dedupe_key=key,
        about=charge.invoice or charge,
        customer_id=charge.customer_id,
    )
