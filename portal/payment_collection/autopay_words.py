"""What customers agree to when they turn autopay on, word for word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from portal.company import company, format_day, format_money
from portal.kernel.money import Money
from portal.models import AutopayMoment
from portal.outbox import locale_of, spoken
from portal.payment_collection.consents import OFFICE_MAY_CHARGE

AUTOPAY = {
    "en": (
        "I authorize {company} to charge {method} for what is then owed on each of my invoices "
        "dated {starts_on} or later, {moment}, {later}{bound}. {notice} "
        "{office} This holds until I turn autopay off in the portal or tell {company} "
        "to; a charge that has begun is not stopped."
    ),
    "es": (
        "Autorizo a {company} a cobrar en {method} lo que entonces deba de cada factura mía con "
        "fecha {starts_on} o posterior, {moment}, {later}{bound}. {notice} "
        "{office} Esto vale hasta que desactive el pago automático en el portal o se lo "
        "pida a {company}; un cobro ya iniciado no se detiene."
    ),
    "fr": (
        "J’autorise {company} à prélever sur {method} ce que je dois alors sur chacune de mes "
        "factures datées du {starts_on} ou après, {moment}, {later}{bound}. {notice} "
        "{office} Ceci vaut jusqu’à ce que j’arrête le paiement "
        "automatique dans le portail ou le demande à {company} ; un prélèvement commencé n’est "
        "pas arrêté."
    ),
}
MOMENTS = {
    "en": {"due_date": "on its due date", "invoice_date": "on its date"},
    "es": {"due_date": "en su fecha de vencimiento", "invoice_date": "en su fecha"},
    "fr": {"due_date": "à son échéance", "invoice_date": "à sa date"},
}
DAYS = 2  # the words for a notice of no day, one day, and {days}
LATER = {
    "en": (
        "or right after the message about it if that is later",
        "or a day after the message about it if that is later",
        "or {days} days after the message about it if that is later",
    ),
    "es": (
        "o justo después del mensaje que lo anuncia si es más tarde",
        "o un día después del mensaje que lo anuncia si es más tarde",
        "o {days} días después del mensaje que lo anuncia si es más tarde",
    ),
    "fr": (
        "ou juste après le message qui l’annonce si c’est plus tard",
        "ou un jour après le message qui l’annonce si c’est plus tard",
        "ou {days} jours après le message qui l’annonce si c’est plus tard",
    ),
}
NOTICE = {
    "en": (
        "I get a message with amount and day first, which may come on the same day.",
        "I get a message with amount and day at least a day before.",
        "I get a message with amount and day at least {days} days before.",
    ),
    "es": (
        "Antes recibo un mensaje con el importe y el día, quizás ese mismo día.",
        "Recibo un mensaje con el importe y el día al menos un día antes.",
        "Recibo un mensaje con el importe y el día al menos {days} días antes.",
    ),
    "fr": (
        "Je reçois d’abord un message avec le montant et le jour, peut-être le jour même.",
        "Je reçois un message avec le montant et le jour au moins un jour avant.",
        "Je reçois un message avec le montant et le jour au moins {days} jours avant.",
    ),
}
BOUNDS = {
    "en": ", but never more than {most} at once",
    "es": ", pero nunca más de {most} a la vez",
    "fr": ", mais jamais plus de {most} à la fois",
}
PRIMARY = {
    "en": "the payment method marked as primary",
    "es": "el método de pago marcado como principal",
    "fr": "le moyen de paiement marqué comme principal",
}


@dataclass(frozen=True)
class AgreedBy:
    """Who agreed, and from where; for one given by phone, who wrote it down and whom they heard."""

    given_by: str
    address: str = ""
    agent: str = ""
    language: str = "en"


def autopay_text(
    *,
    method: str,
    moment: AutopayMoment,
    most: Money | None,
    starts_on: date,
    notice_days: int,
    language: str,
) -> str:
    """The sentence a customer agrees to; `method` is its label, empty for the primary one.

    It says what the rules do at the moment: no charge before the notice ran its `notice_days`.
    """
    spoken_now = spoken(language)
    locale = locale_of(spoken_now)
    bound, how_long = "", min(notice_days, DAYS)
    if most is not None:
        bound = BOUNDS[spoken_now].format(most=format_money(most, locale, company().currency))
    return AUTOPAY[spoken_now].format(
        company=company().name,
        method=method or PRIMARY[spoken_now],
        starts_on=format_day(starts_on, locale, "long"),
        moment=MOMENTS[spoken_now][moment.value],
        later=LATER[spoken_now][how_long].format(days=notice_days),
        notice=NOTICE[spoken_now][how_long].format(days=notice_days),
        bound=bound,
        office=OFFICE_MAY_CHARGE[spoken_now],
    )
