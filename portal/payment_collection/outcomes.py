"""What becomes of a planned charge when its attempt has ended: done, tried again, given up."""

from __future__ import annotations

from datetime import timedelta

from portal.audit import record
from portal.company import company, format_money, today
from portal.db import db, lock_rows
from portal.kernel import clock
from portal.models import (
    CHARGE,
    AttemptState,
    ChargeSource,
    ChargeState,
    PaymentAttempt,
    PlannedCharge,
)
from portal.payment_collection.charge_letters import write_failure
from portal.payment_collection.charge_words import for_customer, keep_outcome
from portal.payment_collection.methods import why_not
from portal.payment_collection.refusals import refusal_words
from portal.payment_collection.rules import collection_rules, retry_days


def note_outcome(charge_id: int) -> ChargeState:
    """Read how the attempt ended and go on from there; idempotent, in the caller's transaction.

    An attempt that was cancelled before it charged anything counts as no try.
    """
    charge = lock_rows(PlannedCharge, [charge_id])[0]
    if charge.attempt_id is None:
        return charge.state
    attempt = db.session.get_one(PaymentAttempt, charge.attempt_id, populate_existing=True)
    match attempt.state:
        case AttemptState.SUCCEEDED if CHARGE.allows(charge.state, "succeed"):
            _succeed(charge, attempt)
        case AttemptState.FAILED if charge.state is ChargeState.CHARGING:
            _fail(charge, attempt)
        case AttemptState.EXPIRED if charge.state is ChargeState.CHARGING:
            _not_tried(charge, attempt)
        case AttemptState.PROCESSING if charge.state is ChargeState.CHARGING:
            keep_outcome(charge, "On its way: the bank has to confirm it.")
        case AttemptState.UNKNOWN if charge.state is ChargeState.CHARGING:
            keep_outcome(charge, "The payment processor did not answer; it is being found out.")
    return charge.state


def give_up(charge: PlannedCharge, words: str, *, told: str = "") -> None:
    """No more tries: the customer is told with a way to pay, the office finds it in its list.

    `words` are the office's; the customer reads `told`, or what goes with them.
    """
    charge.state = CHARGE.after(charge.state, "give up")
    charge.next_try_on = None
    keep_outcome(charge, words)
    record("given up", charge.invoice or charge.customer, f"A planned charge failed: {words}")
    _tell(charge, told or for_customer(words, charge.customer.language))


def _succeed(charge: PlannedCharge, attempt: PaymentAttempt) -> None:
    charge.state = CHARGE.after(charge.state, "succeed")
    received = attempt.payment.amount if attempt.payment else attempt.amount
    said = format_money(received, company().locale, company().currency)
    charge.next_try_on = None
    keep_outcome(charge, f"{said} received.")


def _fail(charge: PlannedCharge, attempt: PaymentAttempt) -> None:
    """Tried again after the agreed days, unless the method is gone or it was a bulk charge."""
    words = attempt.failure or "It was refused."
    language = charge.customer.language
    told = refusal_words(attempt.failure_code, language)
    problem = why_not(attempt.method) if attempt.method else ""
    days = retry_days(collection_rules())
    if problem:
        mine = for_customer(problem, language)
        give_up(charge, f"{words} {problem}", told=f"{told} {mine}")
    elif charge.source is ChargeSource.BULK or charge.tries > len(days):
        give_up(charge, words, told=told)
    else:
        charge.state = CHARGE.after(charge.state, "fail")
        charge.next_try_on = today() + timedelta(days=days[charge.tries - 1])
        keep_outcome(charge, words)
        record(
            "failed", charge.invoice or charge.customer,
            f"A planned charge failed: {words} It is tried again on {charge.next_try_on}.",
        )  # fmt: skip
        _tell(charge, told)


def _tell(charge: PlannedCharge, words: str) -> None:
    """The customer learns that it is not paid; an instalment's days of grace run from here."""
    write_failure(charge, reason=words)
    if charge.instalment is not None:
        charge.instalment.reminded_at = clock.now()


def _not_tried(charge: PlannedCharge, attempt: PaymentAttempt) -> None:
    """Cancelled before anything was charged: what is owed had changed. Decided anew."""
    charge.tries -= 1
    charge.state = CHARGE.after(charge.state, "fail")
    keep_outcome(charge, attempt.failure)
    if charge.source is ChargeSource.BULK:
        charge.state, charge.next_try_on = CHARGE.after(charge.state, "cancel"), None
    else:
        charge.next_try_on = today()
