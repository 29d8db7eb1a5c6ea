"""Locking payments for the accounting system, and opening them again; nothing is booked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from portal.audit import Happening, record_many
from portal.db import db
from portal.kernel.errors import Conflict
from portal.ledger import closed_sentence, is_open
from portal.models import PAYMENT, Payment, PaymentOrigin, PaymentState

CHUNK = 500


@dataclass
class PaymentPosting:
    """What became of each payment; a refusal says why."""

    done: list[Payment] = field(default_factory=list)
    refused: list[tuple[Payment, str]] = field(default_factory=list)


def post_payments(ids: Sequence[int]) -> PaymentPosting:
    """Lock Pending payments and refunds for editing; a returned one is marked to be bypassed.

    Refused ones are listed with their reason and stay as they are. The caller decides whether
    a refusal rolls back the rest.
    """
    return _move(ids, "post")


def unpost_payments(ids: Sequence[int]) -> PaymentPosting:
    """Open Posted payments for editing again, unless they were exported."""
    return _move(ids, "unpost")


def payment_posting_problem(
    payment: Payment, verb: str = "post", open_months: dict[date, bool] | None = None
) -> str | None:
    """The first reason why this payment cannot be posted (or unposted), in words, or None."""
    months = {} if open_months is None else open_months
    day = payment.received_on
    if not months.setdefault(day.replace(day=1), is_open(day)):
        return closed_sentence(day)
    if not PAYMENT.allows(payment.state, verb):
        return f"Cannot {verb} payment {payment.id}: it is already {payment.state}."
    if payment.origin is PaymentOrigin.DOCUMENT:
        return "This is the credit of a document: it goes with the document."
    return None


def _move(ids: Sequence[int], verb: str) -> PaymentPosting:
    whole = PaymentPosting()
    open_months: dict[date, bool] = {}
    for start in range(0, len(ids), CHUNK):
        ready = []
        for payment in _load_locked(ids[start : start + CHUNK]):
            problem = payment_posting_problem(payment, verb, open_months)
            if problem:
                whole.refused.append((payment, problem))
            else:
                ready.append(payment)
        _write(ready, verb)
        whole.done += ready
    return whole


def _load_locked(ids: Sequence[int]) -> list[Payment]:
    db.session.flush()
    query = (
        sa.select(Payment)
        .where(Payment.id.in_(ids))
        .order_by(Payment.id)
        .with_for_update(of=Payment)
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(query))


def _write(payments: Sequence[Payment], verb: str) -> None:
    """Two statements however many there are; compare-and-set though they are locked."""
    if not payments:
        return
    sources, target = PAYMENT.moves[verb]
    bypassed = Payment.returned_on.is_not(None) if verb == "post" else sa.false()
    changed = db.session.scalars(
        sa.update(Payment)
        .where(Payment.id.in_([one.id for one in payments]), Payment.state.in_(list(sources)))
        .values(state=target, bypass=bypassed, version=Payment.version + 1)
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    ).all()
    if len(changed) != len(payments):
        raise Conflict("Somebody else changed one of these payments. Look again, then retry.")
    for payment in payments:
        set_committed_value(payment, "state", target)
        set_committed_value(payment, "bypass", verb == "post" and payment.returned_on is not None)
        set_committed_value(payment, "version", payment.version + 1)
    record_many([Happening(f"{verb}ed", "payment", one.id, _said(one, target)) for one in payments])


def _said(payment: Payment, target: PaymentState) -> str:
    if target is PaymentState.PENDING:
        return "Unposted: it can be corrected again."
    return "Posted, to be bypassed: it was returned." if payment.bypass else "Posted."
