"""Refunds made at the payment processor itself: found there, recorded here."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from portal.audit import record
from portal.company import business_day, company, today
from portal.db import db, in_transaction, reading
from portal.models import (
    AccountRole,
    DifferenceKind,
    GatewayEventState,
    GatewayRefund,
    GatewayRefundState,
    Payment,
)
from portal.payment_collection.gateway import RefundSeen, RefundState, gateway
from portal.payment_collection.patience import patiently
from portal.payment_collection.settling_refunds import record_refund
from portal.payment_collection.unmatched import (
    Found,
    is_foreign_money,
    keep_found,
    said_in,
)
from portal.payments import MoneyGone, record_money_gone

REASON = "Made at the card processor"


def find_refunds(payment_ref: str) -> tuple[GatewayEventState, str]:
    """Compare the gateway's refunds of one payment with ours and record every difference.

    Ours move on as `settle_refund` would; one made there is a refund of that payment here, out
    of its credit if there is, else off what it paid last. Idempotent, in any order. Gives what
    became of it: WAITING while the payment is not known, PARKED when more left than came in.
    Ends the session's transaction. Raises OutsideFailure.
    """
    db.session.rollback()
    with reading():
        known = payment_of(payment_ref) is not None
        db.session.rollback()
    if not known:
        return GatewayEventState.WAITING, "No payment of ours belongs to this refund."
    seen = gateway().refunds_of(payment_ref)
    notes = [note for one in seen if (note := _record_one(one))]
    if notes:
        return GatewayEventState.PARKED, " ".join(notes)
    return GatewayEventState.HANDLED, f"{len(seen)} refunds of this payment were compared."


def payment_of(payment_ref: str) -> Payment | None:
    """The money this gateway calls so."""
    return db.session.scalar(
        sa.select(Payment).where(
            Payment.provider == gateway().name, Payment.provider_ref == payment_ref
        )
    )


def _record_one(seen: RefundSeen) -> str:
    """Gives a sentence when something is left for a person to see to."""
    with reading():
        row_id = db.session.scalar(sa.select(GatewayRefund.id).where(_is(seen)))
        db.session.rollback()
    note = ""
    if row_id is None:
        if seen.state is RefundState.FAILED:
            return ""  # nothing left, and nothing was recorded
        row_id, note = patiently(lambda: _record_foreign(seen))
    if row_id is not None:
        found = row_id
        in_transaction(lambda: record_refund(found, seen))
    return note


def _is(seen: RefundSeen) -> sa.ColumnElement[bool]:
    return sa.or_(
        GatewayRefund.public_id == (seen.reference or "-"),
        sa.and_(
            GatewayRefund.gateway == gateway().name, GatewayRefund.refund_ref == seen.refund_ref
        ),
    )


def _record_foreign(seen: RefundSeen) -> tuple[int | None, str]:
    payment = payment_of(seen.payment_ref)
    assert payment is not None
    if is_foreign_money(seen.currency):
        return None, _set_apart(payment, seen)
    given = record_money_gone(
        payment,
        MoneyGone(
            amount=seen.amount,
            on=min(business_day(seen.moved_at), today()) if seen.moved_at else today(),
            reason=REASON,
            out_of=AccountRole.REFUNDS_IN_TRANSIT,
            key=f"{gateway().name}:refund:{seen.refund_ref}",
            reference=seen.refund_ref,
        ),
    )
    recorded = -given.amount if given else seen.amount - seen.amount
    note = ""
    if recorded != seen.amount:
        note = (
            f"{seen.amount} went back at the card processor, and only {recorded} of it was left: "
            "more was given back than came in. See to the rest."
        )
        twice = DifferenceKind.GIVEN_BACK_TWICE
        if keep_found([Found(twice, seen.refund_ref, note, recorded, seen.amount, payment.id)]):
            record("given back twice", payment, note)
    if given is None:
        return None, note
    return _row_of(given, seen).id, note


def _set_apart(payment: Payment, seen: RefundSeen) -> str:
    """Money that left in another currency is booked by a person; the sentence for them."""
    words = (
        f"{said_in(seen.amount, seen.currency)} went back at the card processor, in another "
        "currency than ours: it is not booked. See to it there."
    )
    keep_found(
        [Found(DifferenceKind.OTHER_CURRENCY, seen.refund_ref, words, payment_id=payment.id)]
    )
    return words


def _row_of(given: Payment, seen: RefundSeen) -> GatewayRefund:
    """Its row beside the refund; the payment is locked, so it is made once."""
    known = db.session.scalar(sa.select(GatewayRefund).where(GatewayRefund.refund_id == given.id))
    if known is not None:
        return known
    money = given.gives_back
    assert money is not None
    row = GatewayRefund(
        public_id=secrets.token_urlsafe(24), refund_id=given.id, payment_id=money.id,
        gateway=gateway().name, livemode=money.livemode, payment_ref=seen.payment_ref,
        refund_ref=seen.refund_ref, amount=-given.amount, currency=company().currency,
        state=GatewayRefundState.IN_TRANSIT,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row
