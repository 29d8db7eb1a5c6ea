"""Giving money back (docs/decisions/0007; servicetitan-rules §8.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import db, lock_rows
from portal.invoices import InvoiceChanged
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.events import tell
from portal.kernel.money import ZERO, Money
from portal.ledger import post_entries, require_open_period
from portal.models import (
    ON_THE_BOOKS,
    Invoice,
    InvoiceKind,
    Payment,
    PaymentApplication,
    PaymentType,
    RefundEffect,
    RefundReason,
)
from portal.payments.applying import lock_invoices, take_from
from portal.payments.receiving import receipt_entry
from portal.payments.refund_documents import (
    RefundShares,
    make_refund_document,
    shares_of_amount,
    shares_of_lines,
)
from portal.payments.refund_sources import (
    RefundSource,
    refund_problem,
    sources_of_payment,
)
from portal.payments.taking_back import earliest_day, live_applications, take_back_newest


@dataclass(frozen=True)
class RefundWords:
    """What somebody says about money given back.

    `effect` is asked only when the reason asks. `line_ids` name whole lines of the invoice;
    `amount` is then what they add up to with their tax.
    """

    reason: RefundReason
    type: PaymentType
    amount: Money
    on: date
    effect: RefundEffect | None = None
    line_ids: Sequence[int] = ()
    reference: str = ""
    memo: str = ""


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


def shares_of(source: RefundSource, words: RefundWords) -> RefundShares:
    """What revenue and tax fall by when a refund document is made."""
    assert source.invoice is not None
    if words.line_ids:
        return shares_of_lines(source.invoice, words.line_ids)
    return shares_of_amount(source.invoice, words.amount)


def refund(source: RefundSource, words: RefundWords) -> Payment:
    """Pay money back to the customer: Dr Customer Deposits, Cr the account of its type.

    First it is taken off its invoice, or a refund document lowers revenue, as the reason says.
    Raises PeriodClosed, InvalidFields, or DomainError for more than was received and not given
    back, checked again under lock.
    """
    require_open_period(words.on)
    source = _locked(source)
    effect = effect_of(source, words)
    _check(source, words)
    row, document = source.payment, None
    if effect is RefundEffect.REOPENS_INVOICE:
        _take_off(source, words)
    elif effect is RefundEffect.LOWERS_REVENUE:
        assert source.invoice is not None
        document = make_refund_document(
            source.invoice, shares_of(source, words), on=words.on, reason=words.reason.name
        )
        row = _credit_of(document)
    take_from(row, words.amount)
    given = _insert(row, source.gives_back, words)
    post_entries([receipt_entry(given)])
    _tell(given, source, words, document)
    return given


def _locked(source: RefundSource) -> RefundSource:
    """The same source afresh: invoice first, then the payments, as everybody locks."""
    if source.invoice is not None:
        lock_invoices([source.invoice])
    lock_rows(Payment, [source.payment.id, source.gives_back.id])
    if problem := refund_problem(source.payment):
        raise DomainError(problem)
    fresh = {one.key: one for one in sources_of_payment(source.payment)}
    again = fresh.get(source.key)
    if again is None or again.gives_back.id != source.gives_back.id:
        raise DomainError("This money was used or given back meanwhile. Look again.")
    return again


def _check(source: RefundSource, words: RefundWords) -> None:
    errors = {}
    if not words.type.refunds or words.type.online:
        errors["type_id"] = "Money is not given back this way. Choose another one."
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


def _take_off(source: RefundSource, words: RefundWords) -> None:
    """Off its invoice, newest application first; the invoice owes that again."""
    assert source.invoice is not None
    rows = live_applications(
        PaymentApplication.payment_id == source.payment.id,
        PaymentApplication.invoice_id == source.invoice.id,
    )
    take_back_newest(rows, words.amount, on=words.on)
    tell(InvoiceChanged(source.invoice))


def _credit_of(document: Invoice) -> Payment:
    return db.session.scalars(
        sa.select(Payment)
        .where(Payment.document_id == document.id, Payment.returned_on.is_(None))
        .with_for_update(of=Payment)
        .execution_options(populate_existing=True)
    ).one()


def _insert(row: Payment, money: Payment, words: RefundWords) -> Payment:
    given = Payment(
        customer=money.customer, type=words.type, amount=-words.amount, unapplied=ZERO,
        received_on=words.on, reference=words.reference, memo=words.memo,
        livemode=money.livemode, refunds=row, gives_back=money, refund_reason=words.reason,
        applications=[],
    )  # fmt: skip
    db.session.add(given)
    db.session.flush()
    return given


def _tell(
    given: Payment, source: RefundSource, words: RefundWords, document: Invoice | None
) -> None:
    what = f"{words.amount} were given back by {words.type.name}: {words.reason.name}"
    record("given back", given, f"{what}.")
    record("refunded", source.gives_back, f"{what}.")
    if source.payment.id != source.gives_back.id:
        record("refunded", source.payment, f"{what}.")
    if source.invoice is not None:
        record("refunded", source.invoice, f"{what}.")
    if document is not None:
        record("refunded", document, f"{what}.")
