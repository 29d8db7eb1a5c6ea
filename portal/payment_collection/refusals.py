"""Why a bank or the processor refused a payment: a code for us, a kind sentence for the payer.

The processor's own words are for the office. Codes are those of card networks as processors pass
them on; what would accuse somebody (a lost or stolen card) is told as any other refusal.
"""

from __future__ import annotations

from portal.models import AttemptState, PaymentAttempt
from portal.outbox import spoken

Sentences = dict[str, str]
DECLINED: Sentences = {
    "en": "The card was declined. Please use another payment method, or ask your bank.",
    "es": "La tarjeta fue rechazada. Use otro método de pago o pregunte a su banco.",
    "fr": "La carte a été refusée. Utilisez un autre moyen de paiement ou demandez à votre banque.",
}
NO_FUNDS: Sentences = {
    "en": "There was not enough money in the account. Please use another payment method, or try "
    "again later.",
    "es": "No había suficiente dinero en la cuenta. Use otro método de pago o inténtelo más tarde.",
    "fr": "Il n’y avait pas assez d’argent sur le compte. Utilisez un autre moyen de paiement ou "
    "réessayez plus tard.",
}
EXPIRED: Sentences = {
    "en": "The card has expired. Please use another one.",
    "es": "La tarjeta ha caducado. Use otra.",
    "fr": "La carte a expiré. Utilisez-en une autre.",
}
IN_PERSON: Sentences = {
    "en": "Your bank wants you to confirm this payment yourself. Please pay it online.",
    "es": "Su banco quiere que usted mismo confirme este pago. Páguelo en línea.",
    "fr": "Votre banque veut que vous confirmiez ce paiement vous-même. Payez-le en ligne.",
}
WRONG_DETAILS: Sentences = {
    "en": "The card’s number, date or security code was not right. Please try again.",
    "es": "El número, la fecha o el código de la tarjeta no era correcto. Inténtelo de nuevo.",
    "fr": "Le numéro, la date ou le code de la carte était inexact. Veuillez réessayer.",
}
NO_ACCOUNT: Sentences = {
    "en": "The bank account could not be charged: it is closed, or debits are not allowed. "
    "Please use another payment method.",
    "es": "No se pudo cobrar en la cuenta: está cerrada o no admite débitos. Use otro método.",
    "fr": "Le compte n’a pas pu être débité : il est fermé ou n’accepte pas les prélèvements. "
    "Utilisez un autre moyen de paiement.",
}
TRY_LATER: Sentences = {
    "en": "The bank could not be reached. Please try again in some minutes.",
    "es": "No se pudo contactar con el banco. Inténtelo de nuevo en unos minutos.",
    "fr": "La banque n’a pas pu être jointe. Veuillez réessayer dans quelques minutes.",
}
OTHERWISE: Sentences = {
    "en": "The payment was refused. Please use another payment method, or ask your bank.",
    "es": "El pago fue rechazado. Use otro método de pago o pregunte a su banco.",
    "fr": "Le paiement a été refusé. Utilisez un autre moyen de paiement ou demandez à votre "
    "banque.",
}
OTHER_CURRENCY = "other_currency"  # no refusal: what came is seen to by the office
CAME_OTHERWISE: Sentences = {
    "en": "Your payment arrived in another currency than we asked for. Our office settles it with "
    "you. Please do not pay again.",
    "es": "Su pago llegó en una moneda distinta de la que pedimos. Nuestra oficina lo resuelve con "
    "usted. No pague otra vez.",
    "fr": "Votre paiement est arrivé dans une autre devise que celle demandée. Notre bureau règle "
    "cela avec vous. Ne payez pas une seconde fois.",
}
KIND_WORDS: dict[str, Sentences] = {
    **dict.fromkeys(
        ("card_declined", "generic_decline", "do_not_honor", "call_issuer", "lost_card",
         "stolen_card", "pickup_card", "restricted_card", "fraudulent", "transaction_not_allowed",
         "card_not_supported", "card_velocity_exceeded", "no_action_taken"), DECLINED),
    **dict.fromkeys(("insufficient_funds", "withdrawal_count_limit_exceeded"), NO_FUNDS),
    "expired_card": EXPIRED,
    "authentication_required": IN_PERSON,
    **dict.fromkeys(
        ("incorrect_number", "invalid_number", "incorrect_cvc", "invalid_cvc", "incorrect_zip",
         "invalid_expiry_month", "invalid_expiry_year"), WRONG_DETAILS),
    **dict.fromkeys(
        ("account_closed", "no_account", "invalid_account", "debit_not_authorized",
         "bank_account_restricted", "payment_method_not_available"), NO_ACCOUNT),
    **dict.fromkeys(("processing_error", "issuer_not_available", "try_again_later"), TRY_LATER),
    OTHER_CURRENCY: CAME_OTHERWISE,
}  # fmt: skip


def refusal_words(code: str, language: str) -> str:
    """What a payer reads about a refusal; a general sentence for codes nobody knows."""
    return KIND_WORDS.get(code, OTHERWISE)[spoken(language)]


def told_of_attempt(attempt: PaymentAttempt, language: str) -> str:
    """Why a payment did not happen, for its payer; empty when nothing was refused."""
    refused = attempt.state is AttemptState.FAILED or bool(attempt.failure_code)
    return refusal_words(attempt.failure_code, language) if refused else ""
