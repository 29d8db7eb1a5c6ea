"""What a refund is, and what it will do, in words for the office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from portal.company import company, format_day
from portal.kernel.errors import InvalidFields
from portal.kernel.money import ZERO
from portal.models import RefundEffect
from portal.payment_collection import needs_approval
from portal.payments import RefundSource, RefundWords, check_refund, effect_of, shares_of

EFFECTS = {
    RefundEffect.PAYS_OUT_CREDIT: later("Pays out credit; invoices and revenue stay"),
    RefundEffect.REOPENS_INVOICE: later("The invoice is owed again; revenue stays"),
    RefundEffect.LOWERS_REVENUE: later("Revenue and sales tax fall with it"),
}


@dataclass(frozen=True)
class Foretold:
    """What a refund will do, and a seal that changes when that does."""

    headline: str
    sentences: Sequence[str]
    seal: str


def source_words(source: RefundSource) -> str:
    """A choice of the form: whose money, of when, where it is."""
    money = source.gives_back
    words = {
        "b": str(source.base),
        "w": f"{money.type.name} {money.reference}".strip(),
        "d": format_day(money.received_on, company().locale),
    }
    if source.invoice is None:
        return str(_("%(b)s of credit, %(w)s of %(d)s", **words))
    return str(_("%(b)s on invoice %(n)s, %(w)s of %(d)s", n=source.invoice.number, **words))


def foretold(source: RefundSource, words: RefundWords) -> Foretold:
    """What will happen to payment, invoice and revenue; raises what refunding would."""
    effect = effect_of(source, words)
    if not ZERO < words.amount <= source.limit:
        sentence = _("Give back between $0.01 and %(l)s.", l=str(source.limit))
        raise InvalidFields({"amount": sentence})
    check_refund(source, words)
    sentences = [_of_payment(source, words), _of_invoice(source, words, effect)]
    if words.through_gateway:
        sentences.append(_("It is on its way for some days. If it fails, all is as it was."))
    elif source.gives_back.provider:
        sentences.append(
            _("It came in online. Nothing goes back to the card from here: it is paid by %(t)s.",
              t=words.type.name)
        )  # fmt: skip
    asks = needs_approval(source, words.amount)
    if asks:
        sentences.append(_("It is above the limit: nothing goes back before somebody else approves "
                           "it."))  # fmt: skip
    headline = _("%(a)s go back to %(c)s by %(t)s on %(d)s.", a=str(words.amount),
                 c=source.gives_back.customer.name, t=words.type.name,
                 d=format_day(words.on, company().locale))  # fmt: skip
    return Foretold(
        headline,
        sentences,
        f"{words.amount.cents}-{source.key}-{effect}-{words.through_gateway}-{asks}",
    )


def _of_payment(source: RefundSource, words: RefundWords) -> str:
    if source.invoice is None:
        left = source.base - words.amount
        return str(_("%(l)s of it stay the customer's credit.", l=str(left)))
    left = source.limit - words.amount
    return str(_("Payment: %(l)s of what it paid there can still be given back.", l=str(left)))


def _of_invoice(source: RefundSource, words: RefundWords, effect: RefundEffect) -> str:
    invoice = source.invoice
    if invoice is None or effect is RefundEffect.PAYS_OUT_CREDIT:
        return str(_("No invoice changes, and revenue stays as it is."))
    said = {"n": invoice.number, "o": str(invoice.balance)}
    if effect is RefundEffect.REOPENS_INVOICE:
        said["b"] = str(invoice.balance + words.amount)
        sentence = _(
            "Invoice %(n)s: %(b)s will be owed, now %(o)s. Revenue stays as it is.", **said
        )
        return str(sentence)
    shares = shares_of(source, words)
    said |= {"r": str(shares.revenue), "t": str(shares.tax)}
    return str(
        _("Invoice %(n)s keeps its balance of %(o)s. A refund document takes %(r)s of revenue "
          "and %(t)s of sales tax back.", **said)
    )  # fmt: skip
