"""The one function that turns a gateway's answer into money on the books.

The return page, the webhook worker, the janitor and staff all call `settle`, in any order and
any number of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from portal.audit import record
from portal.company import business_day, company, format_day, today
from portal.db import db, in_transaction, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import OutsideFailure
from portal.kernel.events import Event, tell
from portal.kernel.money import ZERO, Money
from portal.ledger import next_open_day
from portal.models import (
    ATTEMPT,
    AccountRole,
    AttemptState,
    DifferenceKind,
    Invoice,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    PaymentType,
)
from portal.models.ledger import Account
from portal.payment_collection.attempts import (
    ChargeEnded,
    end_attempt,
    is_foreign,
    retire_foreign,
    tell_invoices,
)
from portal.payment_collection.gateway import CheckoutSeen, CheckoutState, gateway
from portal.payment_collection.refusals import OTHER_CURRENCY
from portal.payment_collection.retries import next_look
from portal.payment_collection.unmatched import (
    Found,
    is_foreign_money,
    keep_found,
    said_in,
)
from portal.payments import ReceivedMoney, receive_payment


@dataclass(frozen=True)
class PaymentOnItsWay(Event):
    """A bank debit was accepted and will settle in some days."""

    attempt: PaymentAttempt


@dataclass(frozen=True)
class PaymentCameBack(Event):
    """A bank debit that was on its way failed: the customer believed it paid."""

    attempt: PaymentAttempt


def settle(attempt_id: int) -> AttemptState:
    """Ask the gateway what became of an attempt and record exactly that, once.

    The gateway is asked outside of any transaction; then one short transaction locks the
    attempt, records money really received in full, applies it up to each balance and keeps the
    rest as credit. A gateway that cannot be reached leaves the attempt unknown, never failed.
    Ends the current transaction of the session. Returns the attempt's state.
    """
    db.session.rollback()
    with reading():  # no writer is kept waiting for a look
        attempt = db.session.get_one(PaymentAttempt, attempt_id, populate_existing=True)
        state, public_id, look = attempt.state, attempt.public_id, _way_to_look(attempt)
        foreign = is_foreign(attempt)
        db.session.rollback()
    if state is AttemptState.SUCCEEDED or look is None:
        return state
    if foreign:
        retire_foreign(attempt_id)
        return db.session.get_one(PaymentAttempt, attempt_id, populate_existing=True).state
    try:
        seen = look()
    except OutsideFailure as error:
        failure = error
        return in_transaction(lambda: lost_track(attempt_id, failure))
    if seen.reference and seen.reference != public_id:
        astray = OutsideFailure("The payment page found belongs to another payment.")
        return in_transaction(lambda: lost_track(attempt_id, astray))
    return in_transaction(lambda: record_outcome(attempt_id, seen))


def _way_to_look(attempt: PaymentAttempt) -> Callable[[], CheckoutSeen] | None:
    """A charge of a saved method is known by its payment, everything else by its page."""
    payment_ref, session_ref = attempt.payment_ref, attempt.session_ref
    if attempt.method_id is not None:
        return (lambda: gateway().look_up_charge(payment_ref)) if payment_ref else None
    return (lambda: gateway().look_up(session_ref)) if session_ref else None


def record_outcome(attempt_id: int, seen: CheckoutSeen) -> AttemptState:
    """Write down what the gateway said; idempotent, safe against racing callers."""
    attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
    attempt.payment_ref = seen.payment_ref or attempt.payment_ref
    attempt.misses, attempt.failure_code = 0, seen.failure_code
    if attempt.state is AttemptState.SUCCEEDED:
        return attempt.state
    match seen.state:
        case CheckoutState.SUCCEEDED if is_foreign_money(seen.currency, attempt.currency):
            _set_apart(attempt, seen)
        case CheckoutState.SUCCEEDED:
            _receive(attempt, seen)
        case CheckoutState.PROCESSING:
            _move(attempt, "process")
        case CheckoutState.FAILED:
            attempt.failure = seen.failure
            _move(attempt, "fail")
        case CheckoutState.EXPIRED:
            attempt.failure = seen.failure  # declined there, and never tried again
            _move(attempt, "fail" if seen.failure else "expire")
        case CheckoutState.OPEN:
            if attempt.state is AttemptState.UNKNOWN:
                attempt.state = AttemptState.OPEN
            attempt.failure = seen.failure  # a declined card; the page is still open
            attempt.next_check_at = _next(attempt)
    return attempt.state


def _receive(attempt: PaymentAttempt, seen: CheckoutSeen) -> None:
    shares = _shares(attempt, seen.received)
    invoices = {one.id: one for one in lock_rows(Invoice, [row for row, _ in shares])}
    attempt.state = ATTEMPT.after(attempt.state, "settle")
    attempt.failure = attempt.failure_code = ""
    end_attempt(attempt)
    day = min(business_day(seen.received_at), today()) if seen.received_at else today()
    on = next_open_day(day)  # money in hand is recorded even when its month is closed
    written = format_day(day, company().locale)
    notes = [
        "" if seen.received == attempt.amount else f"Asked for {attempt.amount}.",
        "" if on == day else f"Received on {written}, in a closed period.",
    ]
    payment = receive_payment(
        ReceivedMoney(
            customer=attempt.customer,
            amount=seen.received,
            type=_payment_type(attempt, seen.method),
            on=on,
            reference=seen.payment_ref or "",
            memo=" ".join(note for note in notes if note),
            provider=attempt.gateway,
            provider_ref=seen.payment_ref or seen.session_ref,
            livemode=attempt.livemode,
            receipt_to=attempt.email,
        ),
        [(invoices[invoice_id], amount) for invoice_id, amount in shares],
    )
    attempt.payment = payment
    if payment.unapplied:
        record(
            "overpaid",
            payment,
            f"{payment.unapplied} more than was still due is kept as the customer's credit.",
        )
    keep_found(_unlike_asked(attempt, payment))
    if attempt.method_id is not None:
        tell(ChargeEnded(attempt))


def _unlike_asked(attempt: PaymentAttempt, payment: Payment) -> Iterator[Found]:
    """What somebody has to see to when other money came than is owed."""
    ref, asked, came = payment.provider_ref or "", attempt.amount, payment.amount
    if payment.unapplied:
        why = "" if came == asked else f"This payment asked for {asked}; {came} came. "
        words = f"{why}{payment.unapplied} is more than was due and is the customer's credit."
        yield Found(DifferenceKind.OVERPAID, ref, words, asked, came, payment.id)
    elif came < asked:
        words = f"This payment asked for {asked}; only {came} came. The rest is still owed."
        yield Found(DifferenceKind.OTHER_AMOUNT, ref, words, asked, came, payment.id)


def _set_apart(attempt: PaymentAttempt, seen: CheckoutSeen) -> None:
    """Money in another currency pays no invoice of ours: it waits for a person, who resolves it.

    The attempt is parked, still live, so that nothing is asked for a second time meanwhile.
    """
    words = (
        f"The processor received {said_in(seen.received, seen.currency)}; "
        f"{attempt.amount} was asked for. Nothing was applied, for it is another currency. "
        "Give it back there, or take what it is worth as a payment, then say so here."
    )
    attempt.failure_code = OTHER_CURRENCY  # what its payer is told, also when it is over
    ref = seen.payment_ref or seen.session_ref
    fresh = keep_found([Found(DifferenceKind.OTHER_CURRENCY, ref, words, attempt.amount)])
    if attempt.is_live:
        attempt.state = ATTEMPT.after(attempt.state, "lose_track_of")
        attempt.next_check_at, attempt.failure = None, words
    if fresh:
        tell_invoices(attempt, "set apart", words)


def _shares(attempt: PaymentAttempt, received: Money) -> Sequence[tuple[int, Money]]:
    """The planned shares, cut to what really came when that is less."""
    left, shares = received, []
    for share in attempt.shares:
        part = min(share.amount, left)
        if part > ZERO:
            shares.append((share.invoice_id, part))
            left -= part
    return shares


def _payment_type(attempt: PaymentAttempt, method: str) -> PaymentType:
    role = AccountRole.GATEWAY_CLEARING if attempt.livemode else AccountRole.TEST_CLEARING
    if attempt.gateway != "test" and not attempt.livemode:
        role = AccountRole.TEST_CLEARING  # a processor's own test mode moves no money either
    wanted = PaymentMethod.BANK_DEBIT if method == "bank_debit" else PaymentMethod.CARD
    types = list(
        db.session.scalars(
            sa.select(PaymentType)
            .join(Account)
            .where(PaymentType.online, Account.role == role)
            .order_by(PaymentType.id)
        )
    )
    return next((one for one in types if one.method is wanted), types[0])


def _move(attempt: PaymentAttempt, verb: str) -> None:
    if not ATTEMPT.allows(attempt.state, verb):
        return  # a late answer about an attempt that already ended
    was = attempt.state
    attempt.state = ATTEMPT.after(was, verb)
    if attempt.state is AttemptState.PROCESSING and was is not AttemptState.PROCESSING:
        attempt.checks = 0  # pending from now on: after an hour, then daily
    attempt.next_check_at = _next(attempt)
    if not attempt.is_live:
        end_attempt(attempt)
    if attempt.state is AttemptState.PROCESSING and was is not AttemptState.PROCESSING:
        tell(PaymentOnItsWay(attempt))
    if attempt.state is AttemptState.FAILED and was is AttemptState.PROCESSING:
        tell(PaymentCameBack(attempt))


def lost_track(attempt_id: int, failure: OutsideFailure) -> AttemptState:
    """We could not hear the truth: an open page becomes unknown, a pending debit stays so."""
    attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
    attempt.failure = str(failure)
    attempt.misses += 1
    over = attempt.expires_at is not None and attempt.expires_at <= clock.now()
    if failure.missing and over:  # the gateway answers, and knows no such page
        _move(attempt, "expire")
    elif attempt.state is not AttemptState.PROCESSING:
        _move(attempt, "lose_track_of")
    else:
        attempt.next_check_at = _next(attempt)
    return attempt.state


def _next(attempt: PaymentAttempt) -> datetime | None:
    """When the janitor looks again; None when it ended, or is parked for a person, still live."""
    if not attempt.is_live:
        return None
    pending = attempt.state is AttemptState.PROCESSING
    return next_look(checks=attempt.checks, misses=attempt.misses, is_pending=pending)
