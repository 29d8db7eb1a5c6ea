"""Telling customers and the office what becomes of a plan, in words the company may edit."""

from __future__ import annotations

from flask import current_app

from portal.company import company, format_day, format_money, today
from portal.invoices import portal_url
from portal.kernel.money import ZERO
from portal.models import Channel, InstalmentProgress, PaymentPlan
from portal.outbox import (
    Attachment,
    Values,
    Words,
    locale_of,
    spoken,
    words_for,
    write_letter,
    write_message,
)
from portal.payments import receipt_address
from portal.settings import Settings

ONE_PAYMENT = {
    "en": "{number}. {day}: {amount}",
    "es": "{number}. {day}: {amount}",
    "fr": "{number}. {day} : {amount}",
}
WITH_AGREEMENT = ("plan_proposed", "plan_accepted")


def tell_customer(
    kind: str,
    plan: PaymentPlan,
    *,
    about: InstalmentProgress | None = None,
    reason: str = "",
    key: str = "",
) -> bool:
    """Queue one mail of this kind about the plan, or one of its instalments; idempotent.

    False when it was queued before, or nobody has an address.
    """
    address = _address(plan)
    if not address:
        return False
    language = spoken(plan.customer.language)
    values = plan_values(plan, language, about=about, reason=reason)
    letter = write_letter(words_for(kind, Channel.EMAIL, language), values, language)
    which = f"-{about.instalment.number}" if about else ""
    papers = [Attachment("payment_plan", plan.id, f"{plan.number}.pdf")]
    message = write_message(
        kind=kind.replace("_", " "),
        recipient=address,
        subject=letter.subject,
        body=letter.text,
        html=letter.html(language),
        language=language,
        dedupe_key=f"{kind}-{plan.id}{which}{'-' if key else ''}{key}",
        about=plan,
        customer_id=plan.customer_id,
        attachments=papers if kind in WITH_AGREEMENT else [],
    )
    return message is not None


def can_be_told(plan: PaymentPlan) -> bool:
    """Whether anybody has an address for mails about it."""
    return bool(_address(plan))


def tell_office(plan: PaymentPlan, sentence: str, words: str = "") -> None:
    """One mail to the company's own address, when it has one."""
    if "@" not in company().email:
        return
    settings: Settings = current_app.config["SETTINGS"]
    link = f"{settings.base_url}/staff/payment-plans/{plan.id}"
    body = "\n\n".join(one for one in (sentence, words, link) if one)
    letter = write_letter(Words(sentence, body.replace("{", "(").replace("}", ")")), {}, "en")
    write_message(
        kind="payment plan",
        recipient=company().email,
        subject=sentence,
        body=letter.text,
        html=letter.html("en"),
        dedupe_key=f"plan-office-{plan.id}-{plan.state}-{plan.version}",
        about=plan,
        customer_id=plan.customer_id,
    )


def plan_values(
    plan: PaymentPlan, language: str, *, about: InstalmentProgress | None = None, reason: str = ""
) -> Values:
    """What the placeholders stand for: `balance` is the instalment's, else all that is open."""
    left = about.open if about else plan.open
    return {
        "customer_name": plan.customer.name,
        "number": plan.number,
        "total": plan.amount,
        "balance": left if left > ZERO else "",
        "due_date": about.instalment.due_on if about else "",
        "date": today(),
        "pay_link": plan_url(plan),
        "portal_link": portal_url(),
        "summary": _schedule(plan, language),
        "reason": reason,
        "company_name": company().name,
    }


def plan_url(plan: PaymentPlan) -> str:
    """Where the customer reads, accepts and pays it, once signed in."""
    settings: Settings = current_app.config["SETTINGS"]
    return f"{settings.base_url}/my/plans/{plan.id}"


def _schedule(plan: PaymentPlan, language: str) -> str:
    locale, currency = locale_of(language), company().currency
    return "\n".join(
        ONE_PAYMENT[language].format(
            number=one.number,
            day=format_day(one.due_on, locale, "long"),
            amount=format_money(one.amount, locale, currency),
        )
        for one in plan.instalments
    )


def _address(plan: PaymentPlan) -> str:
    asked = plan.asked_by if "@" in plan.asked_by else ""
    return asked or receipt_address(plan.customer)
