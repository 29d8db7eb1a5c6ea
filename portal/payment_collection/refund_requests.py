"""Two people for a large refund: one asks, somebody else approves or declines it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record
from portal.company import today
from portal.db import db, lock_rows
from portal.kernel import clock
from portal.kernel.errors import Conflict, DomainError, InvalidFields, NotAllowed, NotFound
from portal.kernel.money import ZERO, Money
from portal.models import (
    REFUND_REQUEST,
    CollectionRules,
    Payment,
    PaymentType,
    RefundEffect,
    RefundReason,
    RefundRequest,
    RefundRequestState,
    User,
)
from portal.payment_collection.refunds import send_back
from portal.payments import (
    RefundSource,
    RefundWords,
    check_refund,
    effect_of,
    refund,
    source_by_key,
)

WAITING = RefundRequestState.WAITING
ONE_REFUND = timedelta(hours=24)  # what is entered within it counts together


def refund_limit() -> Money | None:
    """Above this a refund needs a second person; None: it never does."""
    return db.session.scalar(sa.select(CollectionRules.refund_limit))


def needs_approval(source: RefundSource, amount: Money) -> bool:
    """Whether this refund is above the limit, with what was given back of the money lately.

    Two refunds of half the amount are one refund. What counts is when each was entered, within
    the last 24 hours: the day on a refund is typed by the person whom the limit binds.
    """
    limit = refund_limit()
    if limit is None:
        return False
    lately = sa.select(sa.func.sum(Payment.amount)).where(
        Payment.gives_back_id == source.gives_back.id,
        Payment.created_at > clock.now() - ONE_REFUND,
        Payment.returned_on.is_(None),
    )
    return amount - (db.session.scalar(lately) or ZERO) > limit


def give_back_or_ask(
    source: RefundSource, words: RefundWords, *, by: User
) -> Payment | RefundRequest:
    """Give the money back, or, above the limit, ask for somebody else's approval.

    Raises Conflict when somebody gave back of the same money at this moment and both together
    are above the limit.
    """
    if needs_approval(source, words.amount):
        return ask_for_refund(source, words, by=by)
    given = _give(source, words)
    if needs_approval(source, ZERO):  # the money is locked by now
        raise Conflict("Somebody gave back money of this payment meanwhile. Look again.")
    return given


def ask_for_refund(source: RefundSource, words: RefundWords, *, by: User) -> RefundRequest:
    """Keep the filled-in form until somebody else decides; nothing is booked.

    Raises what refunding would, and DomainError when so much already waits for approval.
    """
    effect_of(source, words)
    check_refund(source, _resolved(source, words))
    waiting = _waiting_of(source.gives_back)
    if waiting and words.amount > source.limit - waiting:
        raise DomainError(f"{waiting} of this money already wait for approval to go back.")
    request = RefundRequest(
        payment_id=source.payment.id, source_key=source.key, amount=words.amount,
        words=_plain(words), asked_by_id=by.id,
    )  # fmt: skip
    db.session.add(request)
    db.session.flush()
    what = f"{by.name} asked to give {words.amount} back: {words.reason.name}"
    record("asked", request, f"{what}.")
    record("refund asked", source.payment, f"{what}. Somebody else has to approve it.")
    return request


def approve_refund(request: RefundRequest, *, by: User) -> Payment:
    """Give the money back today, checked again.

    Raises NotAllowed for whoever asked, InvalidTransition when it was decided, and whatever
    refunding raises now; the request then goes on waiting.
    """
    row = _locked(request, by)
    _decide(row, "approve", by)
    source = source_by_key(row.payment, row.source_key)
    given = _give(source, replace(words_of(row), on=today()))
    row.refund_id = given.id
    db.session.flush()
    _tell(row, by, "approved")
    return given


def decline_refund(request: RefundRequest, *, by: User, because: str) -> None:
    """Nothing goes back. Raises NotAllowed, InvalidTransition, InvalidFields without a reason."""
    row = _locked(request, by)
    REFUND_REQUEST.after(row.state, "decline")
    if not because.strip():
        raise InvalidFields({"because": "Say why it is declined."})
    _decide(row, "decline", by)
    row.decided_because = because.strip()
    db.session.flush()
    _tell(row, by, "declined", f": {row.decided_because}")


def words_of(request: RefundRequest) -> RefundWords:
    """The form as it was filled in."""
    said: dict[str, Any] = request.words
    return RefundWords(
        reason=db.session.get_one(RefundReason, said["reason_id"]),
        type=db.session.get_one(PaymentType, said["type_id"]),
        amount=request.amount,
        on=date.fromisoformat(said["on"]),
        effect=RefundEffect(said["effect"]) if said["effect"] else None,
        line_ids=said["line_ids"],
        reference=said["reference"],
        memo=said["memo"],
        through_gateway=said["through_gateway"],
    )


def get_request(request_id: int) -> RefundRequest:
    """One request; NotFound otherwise."""
    request = db.session.get(RefundRequest, request_id, options=_OPTIONS)
    if request is None:
        raise NotFound("No such request.")
    return request


def requests_waiting() -> Sequence[RefundRequest]:
    """Every request nobody decided yet, oldest first; there are never many."""
    query = sa.select(RefundRequest).where(RefundRequest.state == WAITING).options(*_OPTIONS)
    return db.session.scalars(query.order_by(RefundRequest.id)).all()


def requests_of(payment: Payment) -> Sequence[RefundRequest]:
    """Every request about this payment, newest first."""
    query = sa.select(RefundRequest).where(RefundRequest.payment_id == payment.id)
    return db.session.scalars(query.options(*_OPTIONS).order_by(RefundRequest.id.desc())).all()


_OPTIONS = (
    joinedload(RefundRequest.payment).joinedload(Payment.customer),
    joinedload(RefundRequest.asked_by),
    joinedload(RefundRequest.decided_by),
)


def _give(source: RefundSource, words: RefundWords) -> Payment:
    return send_back(source, words) if words.through_gateway else refund(source, words)


def _resolved(source: RefundSource, words: RefundWords) -> RefundWords:
    return replace(words, type=source.gives_back.type) if words.through_gateway else words


def _waiting_of(money: Payment) -> Money:
    query = sa.select(sa.func.sum(RefundRequest.amount)).where(
        RefundRequest.payment_id == money.id, RefundRequest.state == WAITING
    )
    return db.session.scalar(query) or ZERO


def _locked(request: RefundRequest, by: User) -> RefundRequest:
    row = lock_rows(RefundRequest, [request.id])[0]
    if row.asked_by_id == by.id:
        raise NotAllowed("You asked for it yourself: somebody else has to decide.")
    return row


def _decide(row: RefundRequest, verb: str, by: User) -> None:
    row.state = REFUND_REQUEST.after(row.state, verb)
    row.decided_by_id, row.decided_at = by.id, clock.now()


def _tell(row: RefundRequest, by: User, verb: str, why: str = "") -> None:
    what = f"{by.name} {verb} the refund of {row.amount} that {row.asked_by.name} asked for{why}."
    record(verb, row, what)
    record(f"refund {verb}", row.payment, what)


def _plain(words: RefundWords) -> dict[str, Any]:
    return {
        "reason_id": words.reason.id,
        "type_id": words.type.id,
        "on": words.on.isoformat(),
        "effect": words.effect.value if words.effect else "",
        "line_ids": list(words.line_ids),
        "reference": words.reference,
        "memo": words.memo,
        "through_gateway": words.through_gateway,
    }
