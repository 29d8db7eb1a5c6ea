"""What the demo's office does besides: corrects, gives back, batches, asks for approval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from portal.batches import add_invoices, ask_for_posting, look_at_batch, start_batch
from portal.company import today
from portal.db import db, in_transaction
from portal.invoices import (
    ApprovalWords,
    add_invoice_type,
    add_rule,
    assign_invoices,
    post_invoice,
    review_invoice,
    start_credit_note,
    write_off,
)
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity
from portal.models import (
    Invoice,
    InvoiceState,
    Payment,
    PaymentOrigin,
    RefundEffect,
    ReviewState,
    User,
    WhenRefused,
)
from portal.payment_collection import (
    RuleWords,
    change_rules,
    collection_rules,
    give_back_or_ask,
)
from portal.payments import (
    RefundWords,
    ReturnReason,
    payment_types,
    refund,
    refund_reasons,
    return_payment,
    sources_of_payment,
)

APPROVED_OVER = Money.of(3000)
APPROVED_REFUND = Money.of(150)


def work_in_the_office() -> None:
    """A credit note, a write-off, a refund, a bounced check, two batches, a hold, an approval."""
    in_transaction(_correct)
    in_transaction(_give_back)
    in_transaction(_ask_for_refund)
    in_transaction(_review)
    look_at_batch(in_transaction(_batch))
    db.session.rollback()


def _correct() -> None:
    newest, *_, oldest = _invoices(InvoiceState.POSTED, Invoice.balance > Money(0))
    first = newest.lines[0]
    note = start_credit_note(newest, {first.id: Quantity.of(1)}, because="One hour too many")
    post_invoice(note)
    write_off(oldest, because="Moved away without an address")


def _give_back() -> None:
    """The newest check bounces; what somebody paid too much is sent back."""
    check = payment_types()[0]
    checks = Payment.type_id == check.id
    query = sa.select(Payment).where(checks).order_by(Payment.id.desc()).limit(1)
    return_payment(db.session.scalars(query).one(), ReturnReason.BOUNCED, on=today(), note="NSF")
    paid_too_much = sa.select(Payment).where(
        Payment.unapplied > Money(0), Payment.origin == PaymentOrigin.MONEY, checks
    )
    credit = db.session.scalars(paid_too_much.order_by(Payment.id).limit(1)).one()
    (source, *_rest) = sources_of_payment(credit)
    reason = next(one for one in refund_reasons() if one.effect is RefundEffect.PAYS_OUT_CREDIT)
    refund(source, RefundWords(reason, check, source.limit, today(), reference="2044"))


def _ask_for_refund() -> None:
    """Above the limit a refund waits for somebody else than who asked for it."""
    rules = collection_rules()
    change_rules(replace(RuleWords(), refund_limit=APPROVED_REFUND), version=rules.version)
    olive = db.session.scalars(sa.select(User).order_by(User.id).limit(1)).one()
    check = payment_types()[0]
    paid = sa.select(Payment).where(
        Payment.type_id == check.id, Payment.returned_on.is_(None), Payment.refunds_id.is_(None),
        Payment.amount > APPROVED_REFUND, Payment.unapplied == Money(0),
    )  # fmt: skip
    payment = db.session.scalars(paid.order_by(Payment.id.desc()).limit(1)).one()
    (source, *_rest) = sources_of_payment(payment)
    reason = next(one for one in refund_reasons() if one.effect is RefundEffect.REOPENS_INVOICE)
    give_back_or_ask(source, RefundWords(reason, check, source.limit, today()), by=olive)


def _review() -> None:
    add_invoice_type("Warranty")
    add_rule(ApprovalWords("Large jobs", over=APPROVED_OVER))
    drafts = _invoices(InvoiceState.PENDING, Invoice.review_state == ReviewState.NEEDS_REVIEW)
    ready = [one for one in drafts if one.invoice_date is not None]
    review_invoice(ready[0], ReviewState.ON_HOLD, note="Waiting for the supplier's bill")
    office = db.session.scalars(sa.select(User).order_by(User.id).limit(1)).one()
    assign_invoices([one.id for one in ready[1:3]], office)


def _batch() -> int:
    """One batch waits to be posted, another one is asked for; returns the second."""
    reviewed = _invoices(InvoiceState.PENDING, Invoice.review_state == ReviewState.REVIEWED)
    ids = [one.id for one in reviewed if one.invoice_date is not None]
    half = max(len(ids) // 2, 1)
    posted = start_batch("Last week, all trades")
    db.session.flush()
    add_invoices(posted, ids[:half])
    waiting = start_batch("This week, all trades")
    db.session.flush()
    add_invoices(waiting, ids[half:])
    ask_for_posting(posted, when_refused=WhenRefused.POST_REST, by=None)
    return posted.id


def _invoices(state: InvoiceState, *wheres: sa.ColumnElement[bool]) -> Sequence[Invoice]:
    query = sa.select(Invoice).where(Invoice.state == state, *wheres)
    newest_first = query.order_by(Invoice.invoice_date.desc(), Invoice.id.desc())
    return db.session.scalars(newest_first).all()
