"""Charging a saved method while its owner is away: persisted, prepared, kept, confirmed.

Preparing charges nothing; only a confirmed charge takes money, and only one whose reference we
keep is ever confirmed. So after a crash at any place a charge is looked up, never made twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from portal.company import company
from portal.db import db, in_transaction, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import DomainError, NotFound, OutsideFailure
from portal.kernel.money import Money
from portal.models import (
    ATTEMPT,
    LIVE_ATTEMPTS,
    AttemptPurpose,
    AttemptState,
    Invoice,
    MethodState,
    PaymentAttempt,
    SavedMethod,
)
from portal.payment_collection.attempts import end_attempt, is_foreign, tell_invoices
from portal.payment_collection.checkout import (
    FIRST_CHECK,
    asks_too_much,
    attempts_in_the_way,
    check_shares,
    describe_invoices,
    shares_of_attempt,
    why_blocked,
    withdraw_attempt,
)
from portal.payment_collection.gateway import ChargeOrder, CheckoutSeen, gateway
from portal.payment_collection.methods import chargeable_method
from portal.payment_collection.retries import KEY_LIFETIME
from portal.payment_collection.settling import lost_track, record_outcome

UNCONFIRMED = LIVE_ATTEMPTS - {AttemptState.PROCESSING}


@dataclass(frozen=True)
class ChargeWanted:
    """Which saved method is charged how much for what. `email` gets the receipt."""

    customer_id: int
    method_id: int
    shares: Sequence[tuple[int, Money]]  # invoice id, amount
    purpose: AttemptPurpose
    started_by: str
    email: str = ""
    language: str = "en"


Linking = Callable[[PaymentAttempt], None]


def charge_method(wanted: ChargeWanted, *, linked: Linking | None = None) -> int:
    """Charge a saved method; the id of the attempt, whose state is the outcome.

    `linked` is called with the new attempt in the transaction that keeps it: whoever planned
    this charge writes down there that it is being tried, so that it is never tried twice.

    SUCCEEDED; PROCESSING for a bank debit; FAILED with `failure` in words when it was refused;
    EXPIRED when the invoices changed before it was carried out; UNKNOWN when the gateway did
    not answer: the janitor finds out. Pages open for these invoices are closed first.

    Runs its own transactions, because no gateway call happens inside one. Raises NotFound for
    another customer's method or invoice, DomainError for a method or amount that is no use and
    for money that is on its way already, Conflict when somebody charges them at this moment.
    """
    gateway()
    for _ in range(3):
        for attempt_id in in_transaction(lambda: _in_the_way(wanted)):
            withdraw_attempt(attempt_id)
        try:
            attempt_id = in_transaction(lambda: _persist(wanted, linked))
        except IntegrityError:
            continue  # somebody was faster: look at that attempt
        carry_out(attempt_id)
        return attempt_id
    raise why_blocked(wanted.shares)


def carry_out(attempt_id: int) -> AttemptState:
    """Prepare the charge unless that was done, confirm it if it is still meant, record it.

    Idempotent; the charge's own process and the janitor may both call it. Ends the session's
    transaction.
    """
    db.session.rollback()
    with reading():
        attempt = db.session.get_one(PaymentAttempt, attempt_id, populate_existing=True)
        state, payment_ref, reference = attempt.state, attempt.payment_ref, attempt.public_id
        foreign, order = is_foreign(attempt), _order_for(attempt)
        db.session.rollback()
    if state not in UNCONFIRMED or foreign:
        return state
    try:
        if payment_ref is None:
            payment_ref = gateway().prepare_charge(order)
            _keep_reference(attempt_id, payment_ref)
        if reason := in_transaction(lambda: _why_no_more(attempt_id)):
            return cancel_charge(attempt_id, reason)
        seen = gateway().confirm_charge(payment_ref, reference)
    except OutsideFailure as error:
        failure, prepared = error, payment_ref is not None
        return in_transaction(lambda: _broken_off(attempt_id, failure, prepared=prepared))
    return in_transaction(lambda: record_outcome(attempt_id, seen))


def cancel_charge(attempt_id: int, reason: str) -> AttemptState:
    """Withdraw a charge that was not carried out; money it took all the same is recorded."""
    with reading():
        payment_ref = db.session.get_one(
            PaymentAttempt, attempt_id, populate_existing=True
        ).payment_ref
        db.session.rollback()
    if payment_ref is None:  # never confirmed: whoever prepares it now finds it ended
        return in_transaction(lambda: _drop(attempt_id, reason))
    try:
        seen = gateway().cancel_charge(payment_ref)
    except OutsideFailure as error:
        failure = error
        return in_transaction(lambda: lost_track(attempt_id, failure))
    return in_transaction(lambda: _record_cancelled(attempt_id, seen, reason))


def _in_the_way(wanted: ChargeWanted) -> list[int]:
    _checked(wanted)
    return [attempt.id for attempt in attempts_in_the_way(wanted.shares)]


def _checked(wanted: ChargeWanted) -> tuple[SavedMethod, Sequence[Invoice]]:
    method = chargeable_method(wanted.customer_id, wanted.method_id)
    invoices = lock_rows(Invoice, [invoice_id for invoice_id, _ in wanted.shares])
    if any(invoice.customer_id != wanted.customer_id for invoice in invoices):
        raise NotFound("No such invoice.")
    check_shares(invoices, dict(wanted.shares))
    return method, invoices


def _persist(wanted: ChargeWanted, linked: Linking | None) -> int:
    _method, invoices = _checked(wanted)
    lock_rows(SavedMethod, [wanted.method_id])  # who removes it waits, or was first
    method = chargeable_method(wanted.customer_id, wanted.method_id)
    amounts = dict(wanted.shares)
    attempt = PaymentAttempt(
        public_id=secrets.token_urlsafe(24),
        customer_id=wanted.customer_id,
        method_id=wanted.method_id,
        purpose=wanted.purpose,
        amount=Money.total(amounts.values()),
        gateway=gateway().name,
        livemode=gateway().livemode,
        started_by=wanted.started_by,
        email=wanted.email,
        language=wanted.language,
        currency=company().currency,
        description=describe_invoices(invoices),
        expires_at=clock.now() + KEY_LIFETIME,
        next_check_at=clock.now() + FIRST_CHECK,
        shares=shares_of_attempt(invoices, amounts),
    )
    db.session.add(attempt)
    db.session.flush()
    words = f"{attempt.amount} is charged to {method.label}, by {wanted.started_by}."
    tell_invoices(attempt, "charging", words)
    if linked is not None:
        linked(attempt)
    return attempt.id


def _order_for(attempt: PaymentAttempt) -> ChargeOrder:
    """What the gateway is asked; to the letter the same for every repetition of an attempt."""
    method = attempt.method
    if method is None:
        raise DomainError("This payment uses no saved method.")
    return ChargeOrder(
        reference=attempt.public_id,
        amount=attempt.amount,
        currency=attempt.currency,
        customer_ref=method.customer_ref,
        method_ref=method.method_ref,
        description=attempt.description,
    )


def _keep_reference(attempt_id: int, payment_ref: str) -> None:
    """From now on the charge can be found again; only now it may be confirmed."""

    def keep() -> None:
        attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
        attempt.payment_ref = payment_ref
        if ATTEMPT.allows(attempt.state, "open"):
            attempt.state = AttemptState.OPEN

    in_transaction(keep)


def _why_no_more(attempt_id: int) -> str:
    """Why a prepared charge shall not be carried out after all; empty when it shall."""
    attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
    lock_rows(Invoice, [share.invoice_id for share in attempt.shares])
    if asks_too_much(attempt):
        return "What is owed changed meanwhile, so nothing was charged."
    if attempt.method is None or attempt.method.state is not MethodState.ACTIVE:
        return "The payment method was removed meanwhile, so nothing was charged."
    if attempt.expires_at is not None and attempt.expires_at <= clock.now():
        return "The payment processor could not be reached for a day, so nothing was charged."
    return "" if attempt.state in UNCONFIRMED else "It was ended meanwhile."


def _broken_off(attempt_id: int, failure: OutsideFailure, *, prepared: bool) -> AttemptState:
    """A definite no to preparing is final; whatever is said later, only a look is final."""
    if prepared or not failure.permanent:
        return lost_track(attempt_id, failure)
    attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
    if attempt.state in UNCONFIRMED:
        attempt.failure, attempt.state = str(failure), ATTEMPT.after(attempt.state, "fail")
        end_attempt(attempt)
    return attempt.state


def _drop(attempt_id: int, reason: str) -> AttemptState:
    attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
    if attempt.state in UNCONFIRMED:
        attempt.failure, attempt.state = reason, ATTEMPT.after(attempt.state, "expire")
        tell_invoices(attempt, "charge cancelled", reason)
        end_attempt(attempt)
    return attempt.state


def _record_cancelled(attempt_id: int, seen: CheckoutSeen, reason: str) -> AttemptState:
    was = lock_rows(PaymentAttempt, [attempt_id])[0].state
    state = record_outcome(attempt_id, seen)
    if state is AttemptState.EXPIRED and was is not AttemptState.EXPIRED:
        attempt = db.session.get_one(PaymentAttempt, attempt_id)
        attempt.failure = reason
        tell_invoices(attempt, "charge cancelled", reason)
    return state
