"""What may be given back how: the words of a refund, and the rules they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from portal.company import today
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.models import (
    ON_THE_BOOKS,
    InvoiceKind,
    Payment,
    PaymentType,
    RefundEffect,
    RefundReason,
)
from portal.payments.refund_sources import RefundSource
from portal.payments.taking_back import earliest_day


@dataclass(frozen=True)
class RefundWords:
    """What somebody says about money given back.

    `effect` is asked only when the reason asks. `line_ids` name whole lines of the invoice;
    `amount` is then what they add up to with their tax. `through_gateway` sends it back to the
    card or bank account it came from; `type` is then that money's own.
    """

    reason: RefundReason
    type: PaymentType
    amount: Money
    on: date
    effect: RefundEffect | None = None
    line_ids: Sequence[int] = ()
    reference: str = ""
    memo: str = ""
    through_gateway: bool = False


def effect_of(source: RefundSource, words: RefundWords) -> RefundEffect:
    """What giving it back does beside paying it out.

    Raises DomainError when the reason does not fit the money.
    """
    effect = words.effect if words.reason.asks else words.reason.effect
    if effect is None:
        raise InvalidFields({"effect": "Say what happens to the invoice and to revenue."})
    if source.invoice is None:
        if effect is RefundEffect.LOWERS_REVENUE:
            raise DomainError(
                "This money is on no invoice, so no revenue falls with it. Choose a reason that "
                "pays out credit, or begin at the invoice.",
                field="reason_id",
            )
        return RefundEffect.PAYS_OUT_CREDIT
    if effect is RefundEffect.PAYS_OUT_CREDIT:
        raise DomainError(
            f"This money is on invoice {source.invoice.number}, so it is no credit. Choose a "
            "reason that opens the invoice again or lowers revenue.",
            field="reason_id",
        )
    if effect is RefundEffect.LOWERS_REVENUE and source.invoice.kind is InvoiceKind.FINANCING:
        raise DomainError(
            f"{source.invoice.number} is one half of a financing and charged no revenue. Choose a "
            "reason that opens it again.",
            field="reason_id",
        )
    if effect is RefundEffect.LOWERS_REVENUE and source.invoice.state not in ON_THE_BOOKS:
        raise DomainError(
            f"Invoice {source.invoice.number} is not final yet: lower its lines instead, and give "
            "back what is then left over.",
            field="reason_id",
        )
    return effect


def check_refund(source: RefundSource, words: RefundWords) -> None:
    """Raises InvalidFields for a way, an amount or a day that does not fit the money."""
    errors = {}
    if problem := _way_problem(source.gives_back, words):
        errors["type_id"] = problem
    if words.amount <= ZERO:
        errors["amount"] = "Give an amount above zero."
    elif words.amount > source.base:
        errors["amount"] = f"Only {source.base} of it can be given back."
    elif words.amount > source.limit:
        errors["amount"] = f"Only {source.limit} of what came in was not given back yet."
    if words.on < source.gives_back.received_on or words.on < source.payment.received_on:
        errors["on"] = "Money cannot be given back before it came."
    elif words.on < (first := earliest_day(source.payment)):
        errors["on"] = (
            f"It was still counted on {first.isoformat()}. Choose that day or a later one."
        )
    elif words.on > today():
        errors["on"] = "Choose a day that has come."
    if errors:
        raise InvalidFields(errors)


def _way_problem(money: Payment, words: RefundWords) -> str | None:
    """TEST GATEWAY money is none: by check real money would leave for it."""
    if words.through_gateway:
        came_online = money.provider_ref is not None and words.type.id == money.type_id
        return None if came_online else "This money did not come in online. Choose another way."
    if not words.type.refunds or words.type.online:
        return "Money is not given back this way. Choose another one."
    if not money.livemode:
        return "This is TEST GATEWAY money: it can only go back through the TEST GATEWAY."
    return None
