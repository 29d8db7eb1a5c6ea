"""What a payer agrees to before a method is kept: the exact words, and the evidence of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from portal.company import company
from portal.db import db
from portal.models import Consent, ConsentKind, Customer
from portal.outbox import spoken

KEEPING = {
    "en": (
        "I allow {company} to keep this payment method with its payment processor and to charge "
        "it for what I owe on my invoices, also while I am not present: when I ask for it, or as "
        "agreed in automatic payments or a payment plan. If it is a bank account, I authorize "
        "these debits. I can remove it in my account at any time; a payment already on its way "
        "is not affected."
    ),
    "es": (
        "Autorizo a {company} a guardar este método de pago en su procesador de pagos y a "
        "cobrar con él lo que deba de mis facturas, también sin que yo esté presente: cuando yo "
        "lo pida, o según lo acordado en pagos automáticos o en un plan de pagos. Si es una "
        "cuenta bancaria, autorizo estos débitos. Puedo quitarlo en mi cuenta en cualquier "
        "momento; un pago que ya está en camino no se ve afectado."
    ),
    "fr": (
        "J’autorise {company} à conserver ce moyen de paiement auprès de son prestataire de "
        "paiement et à le débiter de ce que je dois sur mes factures, même en mon absence : "
        "quand je le demande, ou comme convenu par paiement automatique ou plan de paiement. "
        "S’il s’agit d’un compte bancaire, j’autorise ces prélèvements. Je peux le retirer de "
        "mon compte à tout moment ; un paiement déjà en route n’est pas concerné."
    ),
}

# A consent covers charges by the office only when one of these sentences stands in it.
OFFICE_MAY_CHARGE = {
    "en": "The office may also charge it for invoices I owe.",
    "es": "La oficina también puede cobrar con él las facturas que yo deba.",
    "fr": "Le bureau peut aussi y prélever les factures que je dois.",
}


@dataclass(frozen=True)
class ConsentGiven:
    """Who agreed to which words, and from where: the address and the browser."""

    customer: Customer
    kind: ConsentKind
    text: str
    language: str
    given_by: str
    address: str = ""
    agent: str = ""


def keeping_words(language: str) -> str:
    """The words shown, and kept, when a payment method is saved."""
    said = spoken(language)
    return f"{KEEPING[said].format(company=company().name)} {OFFICE_MAY_CHARGE[said]}"


def covers_office_charges(consent: Consent | None) -> bool:
    """Whether the office may charge by it: not taken back, and it says so in its own words."""
    if consent is None or consent.revoked_at is not None:
        return False
    return any(sentence in consent.text for sentence in OFFICE_MAY_CHARGE.values())


def seal_of(text: str) -> str:
    """Says in a form which words were on the page, so that no others are agreed to."""
    return hashlib.sha256(text.encode()).hexdigest()


def keep_consent(given: ConsentGiven) -> Consent:
    """Write the evidence down; flushed."""
    consent = Consent(
        customer_id=given.customer.id,
        kind=given.kind,
        text=given.text,
        language=spoken(given.language),
        given_by=given.given_by,
        address=given.address,
        agent=given.agent[:500],
    )
    db.session.add(consent)
    db.session.flush()
    return consent
