"""Starting an online payment: persisted first, then opened at the gateway, then handed over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import IntegrityError

from portal.company import company
from portal.db import claim, db, in_transaction, lock_rows
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
from portal.payment_collection.attempts import live_attempts_on, release_shares
from portal.payment_collection.gateway import CheckoutOrder, gateway
from portal.payment_collection.settling import settle
from portal.settings import Settings

LEAST = Money.of("1.00")
FIRST_CHECK = timedelta(minutes=5)


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

    Runs its own transactions, because no gateway call happens inside one. Raises DomainError
    for amounts out of bounds, invoices that cannot be paid, or a payment already on its way;
    OutsideFailure when the gateway cannot be reached (the attempt is then `unknown`).
    """
    gateway()
    for _ in range(3):
        blocking = in_transaction(lambda: _blocking(wanted))
        if blocking is None:
            try:
                attempt_id = in_transaction(lambda: _persist(wanted))
            except IntegrityError:
                continue  # another payer was faster: look at that attempt
            return _open(attempt_id, wanted)
        if url := _reusable(blocking, wanted):
            return url
        _close(blocking)
    raise Conflict("Somebody else is paying this invoice at this moment. Try again in a minute.")


def _blocking(wanted: CheckoutWanted) -> PaymentAttempt | None:
    ids = [invoice_id for invoice_id, _ in wanted.shares]
    live = live_attempts_on(ids)
    for attempt in live:
        if attempt.state is AttemptState.PROCESSING:
            raise DomainError(
                f"A payment of {attempt.amount} for this invoice is already on its way. "
                "It can take some days until the bank confirms it."
            )
    return live[0] if live else None


def _persist(wanted: CheckoutWanted) -> int:
    invoices = lock_rows(Invoice, [invoice_id for invoice_id, _ in wanted.shares])
    amounts = dict(wanted.shares)
    _check(invoices, amounts)
    attempt = PaymentAttempt(
        public_id=secrets.token_urlsafe(24),
        customer_id=invoices[0].customer_id,
        amount=Money.total(amounts.values()),
        gateway=gateway().name,
        livemode=gateway().livemode,
        started_by=wanted.started_by,
        next_check_at=clock.now() + FIRST_CHECK,
        shares=[AttemptShare(invoice_id=one.id, amount=amounts[one.id]) for one in invoices],
    )
    settings: Settings = current_app.config["SETTINGS"]
    attempt.return_url = f"{settings.base_url}{wanted.return_path}{attempt.public_id}"
    db.session.add(attempt)
    db.session.flush()
    return attempt.id


def _check(invoices: Sequence[Invoice], amounts: dict[int, Money]) -> None:
    if not invoices or len(invoices) != len(amounts):
        raise DomainError("Choose at least one invoice to pay.")
    if len({invoice.customer_id for invoice in invoices}) > 1:
        raise DomainError("Invoices of different customers cannot be paid together.")
    for invoice in invoices:
        amount = amounts[invoice.id]
        if not invoice.is_payable:
            raise DomainError(f"Invoice {invoice.number} is not open for payment any more.")
        if amount < minimum_payment(invoice.balance):
            raise InvalidFields(
                {"amount": f"The least you can pay is {minimum_payment(invoice.balance)}."}
            )
        if amount > invoice.balance:
            raise InvalidFields(
                {"amount": f"Only {invoice.balance} is due on invoice {invoice.number}."}
            )


def _open(attempt_id: int, wanted: CheckoutWanted) -> str:
    attempt = db.session.get_one(PaymentAttempt, attempt_id)
    order = order_for(attempt, email=wanted.email, language=wanted.language)
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


def order_for(attempt: PaymentAttempt, *, email: str = "", language: str = "en") -> CheckoutOrder:
    """What the gateway is asked; the same for every repetition of the same attempt."""
    numbers = [share.invoice.number for share in attempt.shares]
    noun = "Invoice" if len(numbers) == 1 else "Invoices"
    return CheckoutOrder(
        reference=attempt.public_id,
        amount=attempt.amount,
        currency=company().currency,
        description=f"{noun} {', '.join(numbers[:5])}{' …' if len(numbers) > 5 else ''}",
        return_url=attempt.return_url,
        email=email,
        locale=language,
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
        release_shares(attempt)


def _reusable(attempt: PaymentAttempt, wanted: CheckoutWanted) -> str | None:
    """The page of an open attempt for exactly the same amounts: a double click, a second tab."""
    same = {share.invoice_id: share.amount for share in attempt.shares} == dict(wanted.shares)
    fresh = attempt.expires_at is not None and attempt.expires_at > clock.now()
    if same and fresh and attempt.state is AttemptState.OPEN:
        return attempt.checkout_url
    return None


def _close(attempt: PaymentAttempt) -> None:
    """Withdraw another attempt on the same invoice; money it already took is recorded."""
    attempt_id, session_ref = attempt.id, attempt.session_ref
    db.session.rollback()
    if session_ref is None:
        raise Conflict(
            "A payment of this invoice was started a moment ago and we are still waiting to "
            "hear of it. Try again in a few minutes."
        )
    try:
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
