"""Giving money back (docs/decisions/0007; servicetitan-rules §8.1)."""

from __future__ import annotations

import sqlalchemy as sa

from portal.audit import record
from portal.db import db, lock_rows
from portal.invoices import InvoiceChanged
from portal.kernel.errors import DomainError
from portal.kernel.events import tell
from portal.kernel.money import ZERO
from portal.ledger import post_entries, require_open_period
from portal.models import (
    AccountRole,
    Invoice,
    Payment,
    PaymentApplication,
    RefundEffect,
)
from portal.payments.applying import lock_invoices, take_from
from portal.payments.receiving import receipt_entry
from portal.payments.refund_documents import (
    RefundShares,
    make_refund_document,
    shares_of_amount,
    shares_of_lines,
)
from portal.payments.refund_rules import RefundWords, check_refund, effect_of
from portal.payments.refund_sources import (
    RefundSource,
    refund_problem,
    sources_of_payment,
)
from portal.payments.taking_back import live_applications, take_back_newest


def shares_of(source: RefundSource, words: RefundWords) -> RefundShares:
    """What revenue and tax fall by when a refund document is made."""
    assert source.invoice is not None
    if words.line_ids:
        return shares_of_lines(source.invoice, words.line_ids)
    return shares_of_amount(source.invoice, words.amount)


def refund(source: RefundSource, words: RefundWords) -> Payment:
    """Pay money back to the customer: Dr Customer Deposits, Cr the account of its type.

    Money that goes back through the gateway is in transit first: Cr Refunds in Transit, until
    payment_collection/settling_refunds hears what became of it.
    First it is taken off its invoice, or a refund document lowers revenue, as the reason says.
    Raises PeriodClosed, InvalidFields, or DomainError for more than was received and not given
    back, checked again under lock.
    """
    require_open_period(words.on)
    source = _locked(source)
    effect = effect_of(source, words)
    check_refund(source, words)
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
    out_of = AccountRole.REFUNDS_IN_TRANSIT if words.through_gateway else None
    post_entries([receipt_entry(given, out_of)])
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
    how = "go back through the gateway" if words.through_gateway else "were given back"
    what = f"{words.amount} {how} by {words.type.name}: {words.reason.name}"
    record("given back", given, f"{what}.")
    record("refunded", source.gives_back, f"{what}.")
    if source.payment.id != source.gives_back.id:
        record("refunded", source.payment, f"{what}.")
    if source.invoice is not None:
        record("refunded", source.invoice, f"{what}.")
    if document is not None:
        record("refunded", document, f"{what}.")
