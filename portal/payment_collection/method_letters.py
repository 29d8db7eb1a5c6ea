"""Writing to customers about their payment methods: a way to save one, one that ends."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

import sqlalchemy as sa

from portal.audit import record
from portal.company import company, format_month, today
from portal.db import db, in_transaction
from portal.invoices import portal_url
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import Channel, Customer, MethodState, SavedMethod
from portal.outbox import Values, locale_of, spoken, words_for, write_letter, write_message
from portal.payment_collection.gateway import gateway, has_gateway
from portal.payment_collection.keeping import needs_of
from portal.payment_collection.watching import MethodGone
from portal.payments import receipt_address

WHY = {
    "save": {
        "en": "You can save a card or a bank account with us, so that you need not type it for "
        "every invoice. You decide what it is charged for, and you can remove it at any time.",
        "es": "Puede guardar con nosotros una tarjeta o una cuenta bancaria, para no escribirla "
        "en cada factura. Usted decide qué se cobra con ella y puede quitarla en todo momento.",
        "fr": "Vous pouvez enregistrer chez nous une carte ou un compte bancaire, pour ne pas la "
        "saisir à chaque facture. Vous décidez de son usage et pouvez la retirer à tout moment.",
    },
    "expiring": {
        "en": "{method}, which you saved with us, expires at the end of {month}. Please save "
        "another payment method, so that your payments go through.",
        "es": "{method}, que guardó con nosotros, vence al final de {month}. Guarde otro método "
        "de pago para que sus pagos se realicen.",
        "fr": "{method}, que vous avez enregistrée chez nous, expire à la fin de {month}. Merci "
        "d’enregistrer un autre moyen de paiement pour que vos paiements aboutissent.",
    },
    "gone": {
        "en": "Your bank no longer lets us charge {method}, which you saved with us. Please save "
        "another payment method if you want to go on paying with a saved one.",
        "es": "Su banco ya no nos permite cobrar con {method}, que guardó con nosotros. Guarde "
        "otro método de pago si quiere seguir pagando con uno guardado.",
        "fr": "Votre banque ne nous permet plus de débiter {method}, que vous avez enregistré "
        "chez nous. Merci d’en enregistrer un autre pour continuer à payer ainsi.",
    },
}


def mail_way_to_save(customer: Customer, *, once: str) -> str:
    """Mail the customer where to save a method; the address it goes to.

    The link leads to the portal and its sign-in: it opens nothing by itself. `once` names the
    press, so that the same one sends one mail. DomainError when there is no address.
    """
    address = receipt_address(customer)
    if not address:
        raise DomainError("Nobody at this customer has an email address.")
    link = f"{portal_url()}payment-methods?customer_id={customer.id}"
    words = WHY["save"][spoken(customer.language)]
    if _write(customer, address, words, link, f"save-method-{customer.id}-{once}"):
        record("asked", customer, f"A link to save a payment method was mailed to {address}.")
    return address


def tell_gone(event: MethodGone) -> None:
    """The customer hears of it in the same transaction; once per method."""
    method = event.method
    words = WHY["gone"][spoken(method.customer.language)].format(method=method.label)
    _write_about(method, words, f"method-gone-{method.id}")


def tell_of_expiring() -> None:
    """Every day: cards in use whose last month is this one; each is told of once."""
    for method_id in in_transaction(_expiring_this_month):
        in_transaction(lambda: _tell_expiring(method_id))  # noqa: B023  (called at once)


def last_day_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _expiring_this_month() -> list[int]:
    if not has_gateway():
        return []
    query = sa.select(SavedMethod.id).where(
        SavedMethod.state == MethodState.ACTIVE,
        SavedMethod.gateway == gateway().name,
        SavedMethod.livemode == gateway().livemode,
        SavedMethod.expires_on == last_day_of_month(today()),
    )
    return list(db.session.scalars(query.order_by(SavedMethod.id)))


def _tell_expiring(method_id: int) -> None:
    method = db.session.get_one(SavedMethod, method_id)
    if not (method.is_primary or needs_of(method)) or method.expires_on is None:
        return
    language = spoken(method.customer.language)
    month = format_month(method.expires_on, locale_of(language))
    words = WHY["expiring"][language].format(method=method.label, month=month)
    if _write_about(method, words, f"method-expires-{method.id}-{method.expires_on}"):
        sentence = f"{method.label} expires this month; the customer was told."
        record("method expires", method.customer, sentence)


def _write_about(method: SavedMethod, words: str, key: str) -> bool:
    link = f"{portal_url()}payment-methods?customer_id={method.customer_id}"
    return _write(method.customer, receipt_address(method.customer), words, link, key)


def _write(customer: Customer, address: str, words: str, link: str, key: str) -> bool:
    if not address:
        return False
    language = spoken(customer.language)
    values: Values = {
        "customer_name": customer.name,
        "reason": words,
        "portal_link": link,
        "company_name": company().name,
        "date": clock.today(company().zone),
    }
    letter = write_letter(words_for("payment_method", Channel.EMAIL, language), values, language)
    message = write_message(
        kind="payment method", recipient=address, subject=letter.subject, body=letter.text,
        html=letter.html(language), language=language, dedupe_key=key, about=customer,
        customer_id=customer.id,
    )  # fmt: skip
    return message is not None
