"""Starting an online payment: persisted first, then opened at the gateway, then handed over."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import IntegrityError

from portal.audit import record
from portal.company import company
from portal.db import claim, db, in_transaction, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import Conflict, DomainError, InvalidFields, OutsideFailure
from portal.kernel.money import Money
from portal.models import (
    ATTEMPT,
    AttemptShare,
    AttemptState,
    Invoice,
    PaymentAttempt,
)
from portal.payment_collection.attempts import (
    end_attempt,
    is_foreign,
    live_attempts_on,
    retire_foreign,
)
from portal.payment_collection.gateway import CheckoutOrder, gateway
from portal.payment_collection.refusals import OTHER_CURRENCY
from portal.payment_collection.retries import KEY_LIFETIME
from portal.payment_collection.settling import settle
from portal.settings import Settings

LEAST = Money.of("1.00")
FIRST_CHECK = timedelta(minutes=5)
LOOKED_INTO = (
    "A payment for this invoice is being looked into. It can be paid again when that is done; "
    "please ask the office."
)


@dataclass(frozen=True)
class CheckoutWanted:
    """Who wants to pay how much of what; `return_path` gets the attempt's public id appended."""

    shares: Sequence[tuple[int, Money]]  # invoice id, amount
    started_by: str
    return_path: str
    email: str = ""
    language: str = "en"


def minimum_payment(balance: Money) -> Money:
    """$1.00, or all of it when less is due (servicetitan-rules §9.4)."""
    return min(LEAST, balance)


def start_checkout(wanted: CheckoutWanted) -> str:
    """The address of the gateway's page to send the customer to.

    Runs its own transactions, because no gateway call happens inside one. The same payer asking
    again for the same amounts gets the same page; other open pages for these invoices are
    closed first. Raises DomainError for amounts out of bounds, invoices that cannot be paid, or
    a payment already on its way; when the gateway cannot be reached the attempt is `unknown`.
    """
    gateway()
    for _ in range(3):
        blocking = in_transaction(lambda: attempts_in_the_way(wanted.shares))
        same = len(blocking) == 1 and _is_same(blocking[0], wanted)
        if same and (url := _resume(blocking[0])):
            return url
        for attempt_id in [attempt.id for attempt in blocking]:
            withdraw_attempt(attempt_id)
        try:
            return _open(in_transaction(lambda: _persist(wanted)))
        except IntegrityError:
            continue  # another payer was faster: look at that attempt
    raise why_blocked(wanted.shares)


def why_blocked(shares: Sequence[tuple[int, Money]]) -> DomainError:
    """Why these invoices still cannot be paid after every page in the way was withdrawn."""
    with reading():
        live = live_attempts_on([invoice_id for invoice_id, _ in shares])
        parked = any(one.is_parked for one in live)
        db.session.rollback()
    if parked:
        return DomainError(LOOKED_INTO)
    return Conflict("Somebody else is paying this invoice at this moment. Try again in a minute.")


def attempts_in_the_way(shares: Sequence[tuple[int, Money]]) -> list[PaymentAttempt]:
    """Open pages that ask for money for these invoices; they can be withdrawn.

    Raises DomainError for money that is on its way or waits for a person, Conflict while a
    method is being charged.
    """
    live = live_attempts_on([invoice_id for invoice_id, _ in shares])
    for attempt in live:
        if attempt.state is AttemptState.PROCESSING and not is_foreign(attempt):
            raise DomainError(
                f"A payment of {attempt.amount} for this invoice is already on its way. "
                "It can take some days until the bank confirms it."
            )
        known = attempt.failure_code == OTHER_CURRENCY or attempt.method_id is not None
        if attempt.is_parked and known and not is_foreign(attempt):
            raise DomainError(LOOKED_INTO)
        if attempt.method_id is not None and not is_foreign(attempt):
            raise Conflict(
                "A saved payment method is being charged for this invoice at this moment. "
                "Look again in some minutes."
            )
    return live


def _persist(wanted: CheckoutWanted) -> int:
    invoices = lock_rows(Invoice, [invoice_id for invoice_id, _ in wanted.shares])
    amounts = dict(wanted.shares)
    check_shares(invoices, amounts)
    attempt = PaymentAttempt(
        public_id=secrets.token_urlsafe(24),
        customer_id=invoices[0].customer_id,
        amount=Money.total(amounts.values()),
        gateway=gateway().name,
        livemode=gateway().livemode,
        started_by=wanted.started_by,
        email=wanted.email,
        language=wanted.language,
        currency=company().currency,
        description=describe_invoices(invoices),
        next_check_at=clock.now() + FIRST_CHECK,
        shares=shares_of_attempt(invoices, amounts),
    )
    settings: Settings = current_app.config["SETTINGS"]
    attempt.return_url = f"{settings.base_url}{wanted.return_path}{attempt.public_id}"
    db.session.add(attempt)
    db.session.flush()
    return attempt.id


def shares_of_attempt(
    invoices: Sequence[Invoice], amounts: Mapping[int, Money]
) -> list[AttemptShare]:
    """What is asked for of each, and the total it asked at that time."""
    return [
        AttemptShare(invoice_id=one.id, amount=amounts[one.id], invoice_total=one.total)
        for one in invoices
    ]


def check_shares(invoices: Sequence[Invoice], amounts: Mapping[int, Money]) -> None:
    """Raises DomainError or InvalidFields for what cannot be asked for of these invoices."""
    if not invoices or len(invoices) != len(amounts):
        raise DomainError("Choose at least one invoice to pay.")
    if len({invoice.customer_id for invoice in invoices}) > 1:
        raise DomainError("Invoices of different customers cannot be paid together.")
    refused = {}
    for invoice in invoices:
        if not invoice.is_payable:
            raise DomainError(f"Invoice {invoice.number} is not open for payment any more.")
        if why := _misfit(invoice, amounts[invoice.id]):
            refused[f"amount-{invoice.id}"] = why
    if refused:
        raise InvalidFields(refused)


def _misfit(invoice: Invoice, amount: Money) -> str:
    """Why this much of an invoice cannot be paid; empty when it can."""
    if amount < minimum_payment(invoice.balance):
        return f"The least you can pay is {minimum_payment(invoice.balance)}."
    if amount > invoice.balance:
        return f"Only {invoice.balance} is due on invoice {invoice.number}."
    return ""


def describe_invoices(invoices: Sequence[Invoice]) -> str:
    """What the gateway's page and the payer's bank are told: Invoices INV-1, INV-2."""
    numbers = [invoice.number for invoice in invoices]
    noun = "Invoice" if len(numbers) == 1 else "Invoices"
    return f"{noun} {', '.join(numbers[:5])}{' …' if len(numbers) > 5 else ''}"


def _open(attempt_id: int) -> str:
    order = order_for(db.session.get_one(PaymentAttempt, attempt_id))
    db.session.rollback()  # nothing is open while we talk to the gateway
    try:
        opened = gateway().open_checkout(order)
    except OutsideFailure as failure:
        verb, words = "fail" if failure.permanent else "lose_track_of", str(failure)
        in_transaction(lambda: _mark(attempt_id, verb, words))
        raise DomainError(
            "The payment page could not be opened. Nothing was charged. Try again in a minute."
        ) from failure
    in_transaction(
        lambda: mark_opened(attempt_id, opened.session_ref, opened.url, opened.expires_at)
    )
    return opened.url


def order_for(attempt: PaymentAttempt) -> CheckoutOrder:
    """What the gateway is asked; to the letter the same for every repetition of an attempt."""
    return CheckoutOrder(
        reference=attempt.public_id,
        amount=attempt.amount,
        currency=attempt.currency,
        description=attempt.description,
        return_url=attempt.return_url,
        email=attempt.email,
        locale=attempt.language,
    )


def mark_opened(attempt_id: int, session_ref: str, url: str, expires_at: object) -> None:
    """Remember the gateway's page; a settled attempt stays settled."""
    attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
    attempt.session_ref, attempt.checkout_url = session_ref, url
    attempt.expires_at = expires_at  # type: ignore[assignment]  # a datetime of the gateway's
    if ATTEMPT.allows(attempt.state, "open"):
        attempt.state = AttemptState.OPEN


def _mark(attempt_id: int, verb: str, failure: str) -> None:
    attempt = db.session.get_one(PaymentAttempt, attempt_id)
    claim(attempt, state=ATTEMPT.after(attempt.state, verb))
    attempt.failure = failure
    if not attempt.is_live:
        end_attempt(attempt)


def _is_same(attempt: PaymentAttempt, wanted: CheckoutWanted) -> bool:
    """The same payer, amounts and way back: a double click, a second tab."""
    settings: Settings = current_app.config["SETTINGS"]
    return (
        {share.invoice_id: share.amount for share in attempt.shares} == dict(wanted.shares)
        and attempt.started_by == wanted.started_by
        and attempt.return_url.startswith(f"{settings.base_url}{wanted.return_path}")
        and not is_foreign(attempt)
    )


def _resume(attempt: PaymentAttempt) -> str | None:
    """The page of this attempt, opened anew (with the same key) when we never heard of it."""
    if attempt.session_ref is None and attempt.state is AttemptState.CREATED:
        return None if has_outlived_its_key(attempt) else _open(attempt.id)
    fresh = attempt.expires_at is not None and attempt.expires_at > clock.now()
    if fresh and attempt.state is AttemptState.OPEN and not asks_too_much(attempt):
        return attempt.checkout_url
    return None


def has_outlived_its_key(attempt: PaymentAttempt) -> bool:
    """Whether the gateway may have forgotten its key: asked again it would open a second page."""
    return clock.now() - attempt.created_at > KEY_LIFETIME


def never_reached(attempt_id: int) -> AttemptState:
    """Nobody ever got the address of its page, and the page has expired: nothing can come."""
    attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
    if attempt.is_live:
        attempt.state = ATTEMPT.after(attempt.state, "expire")
        end_attempt(attempt)
        record("expired", attempt, "The payment page was never reached.")
    return attempt.state


def asks_too_much(attempt: PaymentAttempt) -> bool:
    """Whether one of its invoices cannot be paid any more, or owes less than it asks for."""
    return any(
        not share.invoice.is_payable or share.amount > share.invoice.balance
        for share in attempt.shares
    )


def withdraw_attempt(attempt_id: int) -> None:
    """Withdraw another attempt on the same invoice; money it already took is recorded."""
    attempt = db.session.get_one(PaymentAttempt, attempt_id, populate_existing=True)
    if is_foreign(attempt):
        db.session.rollback()
        if retire_foreign(attempt_id):
            return
        raise Conflict(
            "A payment was begun at the payment processor used before. Try again tomorrow."
        )
    session_ref, order = attempt.session_ref, order_for(attempt)
    too_old = has_outlived_its_key(attempt)
    db.session.rollback()
    if session_ref is None and too_old:  # asking again would open another page
        in_transaction(lambda: never_reached(attempt_id))
        return
    try:
        if session_ref is None:  # its page may exist all the same: find it by its key
            opened = gateway().open_checkout(order)
            session_ref = opened.session_ref
            in_transaction(
                lambda: mark_opened(attempt_id, opened.session_ref, opened.url, opened.expires_at)
            )
        gateway().close_checkout(session_ref)
    except OutsideFailure as failure:
        raise DomainError(
            "The payment page could not be reached. Try again in a minute."
        ) from failure
    settle(attempt_id)
    left = db.session.scalar(sa.select(PaymentAttempt.state).where(PaymentAttempt.id == attempt_id))
    db.session.rollback()
    if left is AttemptState.SUCCEEDED:
        raise DomainError("This invoice was paid a moment ago. Look at it again.")
