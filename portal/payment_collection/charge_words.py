"""Why a charge waits or failed: for the office as it is kept, and for the customer it is about.

The office's sentence is kept with the charge, and the code of its reason: the customer is told
the other one of the pair, in their language. What has no code is never shown to customers.
"""

from __future__ import annotations

from dataclasses import dataclass

from portal.models import AttemptState, PlannedCharge
from portal.outbox import spoken
from portal.payment_collection.refusals import refusal_words


class Why(str):
    """A sentence for the office that knows which reason it says, and with which parts."""

    code: str
    parts: dict[str, str]

    def __new__(cls, sentence: str, code: str = "", parts: dict[str, str] | None = None) -> Why:
        made = super().__new__(cls, sentence)
        made.code, made.parts = code, dict(parts or {})
        return made


@dataclass(frozen=True)
class Reason:
    """One reason twice: `office` as kept, and what the customer reads; {parts} are in both."""

    code: str
    office: str
    en: str
    es: str
    fr: str

    def why(self, **parts: str) -> Why:
        """The office's sentence, which remembers its reason."""
        return Why(self.office.format(**parts), self.code, parts)


NOT_FINAL = Reason(
    "not_final",
    "The invoice is not final at the moment.",
    "We are changing this invoice at the moment.",
    "Estamos modificando esta factura en este momento.",
    "Nous modifions cette facture en ce moment.",
)
NOT_ANNOUNCED = Reason(
    "not_announced",
    "The notice to the customer has not gone out yet.",
    "You get a message before it is charged.",
    "Recibirá un mensaje antes del cobro.",
    "Vous recevrez un message avant le prélèvement.",
)
ANNOUNCED_AGAIN = Reason(
    "announced_again",
    "The announced day has passed: it is announced again before it is charged.",
    "It was not charged on the day we told you. You get a new message before it is charged.",
    "No se cobró el día anunciado. Recibirá un nuevo mensaje antes del cobro.",
    "Ce n’a pas été prélevé le jour annoncé. Vous recevrez un nouveau message avant.",
)
TOO_LITTLE = Reason(
    "too_little",
    "What was announced is too little to be charged: what is owed now is announced first.",
    "What you owe has changed. You get a new message before it is charged.",
    "Lo que debe ha cambiado. Recibirá un nuevo mensaje antes del cobro.",
    "Ce que vous devez a changé. Vous recevrez un nouveau message avant le prélèvement.",
)
NO_ADDRESS = Reason(
    "no_address",
    "There is no email address to send the notice to, so nothing is charged.",
    "We have no email address to announce it to, so nothing is charged. Please give us one.",
    "No tenemos una dirección de correo para anunciarlo; no se cobra nada. Indíquenos una.",
    "Nous n’avons pas d’adresse e-mail pour l’annoncer ; rien n’est prélevé. Donnez-nous-en une.",
)
DISPUTED = Reason(
    "disputed",
    "The payer's bank disputes money on this invoice.",
    "Your bank disputes a payment of this invoice; it is not charged meanwhile.",
    "Su banco disputa un pago de esta factura; entretanto no se cobra.",
    "Votre banque conteste un paiement de cette facture ; elle n’est pas prélevée entre-temps.",
)
BY_PLAN = Reason(
    "by_plan",
    "A payment plan covers this invoice.",
    "Your payment plan covers this invoice.",
    "Su plan de pagos cubre esta factura.",
    "Votre plan de paiement couvre cette facture.",
)
IN_CREDIT = Reason(
    "in_credit",
    "The customer has {amount} in credit: use that first.",
    "You have {amount} in credit with us, which is used first.",
    "Tiene {amount} de saldo a favor con nosotros, que se usa primero.",
    "Vous avez {amount} de crédit chez nous, qui est utilisé d’abord.",
)
ON_ITS_WAY = Reason(
    "on_its_way",
    "A payment for it is on its way.",
    "A payment for it is on its way.",
    "Un pago de esta factura está en camino.",
    "Un paiement de cette facture est en route.",
)
ABOVE_BOUND = Reason(
    "above_bound",
    "It is more than the {amount} agreed to.",
    "It is more than the {amount} agreed to.",
    "Es más que los {amount} acordados.",
    "C’est plus que les {amount} convenus.",
)
NO_METHOD = Reason(
    "no_method",
    "There is no payment method that can be charged: another one has to be saved.",
    "There is no payment method that can be charged. Please save another one.",
    "No hay ningún método de pago con el que se pueda cobrar. Guarde otro.",
    "Aucun moyen de paiement ne peut être débité. Veuillez en enregistrer un autre.",
)
REMOVED = Reason(
    "removed",
    "{label} was removed. Choose another payment method.",
    "{label} was removed. Please choose another payment method.",
    "{label} se quitó. Elija otro método de pago.",
    "{label} a été retiré. Veuillez choisir un autre moyen de paiement.",
)
GONE = Reason(
    "gone",
    "{label} is not valid any more. Another one has to be saved.",
    "{label} is not valid any more. Please save another one.",
    "{label} ya no es válido. Guarde otro.",
    "{label} n’est plus valable. Veuillez en enregistrer un autre.",
)
ELSEWHERE = Reason(
    "elsewhere",
    "{label} is kept at a payment processor that is no longer used.",
    "{label} cannot be charged any more. Please save another one.",
    "Ya no se puede cobrar con {label}. Guarde otro.",
    "{label} ne peut plus être débité. Veuillez en enregistrer un autre.",
)
EXPIRED = Reason(
    "expired",
    "{label} expired in {month}. Another one has to be saved.",
    "{label} expired in {month}. Please save another one.",
    "{label} caducó en {month}. Guarde otro.",
    "{label} a expiré en {month}. Veuillez en enregistrer un autre.",
)
REASONS = (
    NOT_FINAL, NOT_ANNOUNCED, ANNOUNCED_AGAIN, TOO_LITTLE, NO_ADDRESS, DISPUTED, BY_PLAN,
    IN_CREDIT, ON_ITS_WAY, ABOVE_BOUND, NO_METHOD, REMOVED, GONE, ELSEWHERE, EXPIRED,
)  # fmt: skip
OTHERWISE = {
    "en": "It could not be charged at the moment.",
    "es": "No se pudo cobrar por el momento.",
    "fr": "Le prélèvement n’a pas été possible pour le moment.",
}


_BY_CODE = {one.code: one for one in REASONS}


def for_customer(words: str, language: str) -> str:
    """The customer's sentence for a reason of ours; a general one for what has none."""
    said = spoken(language)
    reason = _BY_CODE.get(words.code) if isinstance(words, Why) else None
    if reason is None or not isinstance(words, Why):
        return OTHERWISE[said]
    return str(getattr(reason, said)).format(**words.parts)


def keep_outcome(charge: PlannedCharge, words: str) -> None:
    """Write down what came of a charge, with its reason when it says one."""
    charge.outcome = str(words)
    charge.reason = words.code if isinstance(words, Why) else ""
    charge.reason_parts = words.parts if isinstance(words, Why) else {}


def kept_outcome(charge: PlannedCharge) -> Why:
    return Why(charge.outcome, charge.reason, charge.reason_parts)


def told_of(charge: PlannedCharge, language: str) -> str:
    """What the customer reads about a charge that waits or failed; empty when all is well."""
    attempt = charge.attempt
    if attempt and attempt.state is AttemptState.FAILED and charge.outcome == attempt.failure:
        return refusal_words(attempt.failure_code, language)
    return for_customer(kept_outcome(charge), language) if charge.outcome else ""
