"""Money that came back: bounced, stopped, or entered in error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import claim, db
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.ledger import entries_of, require_open_period, reverse_entry
from portal.models import JournalEntry, Payment, PaymentApplication, PaymentOrigin
from portal.payments.taking_back import earliest_day, lock_with_invoices, unapply


class ReturnReason(StrEnum):
    """Why a payment counts for nothing any more (servicetitan-rules §8.3, NSF)."""

    BOUNCED = "bounced"
    STOPPED = "stopped"
    ENTERED_IN_ERROR = "entered_in_error"


SAID = {
    ReturnReason.BOUNCED: "bounced",
    ReturnReason.STOPPED: "stopped by the payer",
    ReturnReason.ENTERED_IN_ERROR: "entered in error",
}


def return_payment(
    payment: Payment, because: ReturnReason, *, on: date, note: str = ""
) -> list[str]:
    """The money did not stay: invoices owe again, then the receipt is reversed on that day.

    Gives the numbers of the invoices that owe again. Raises PeriodClosed, or DomainError for
    what `return_problem` says and for a day before the money came or was applied.
    """
    require_open_period(on)
    rows = lock_with_invoices(payment)
    if problem := return_problem(payment):
        raise DomainError(problem)
    first = earliest_day(payment)
    if on < first:
        raise DomainError(
            f"It was still counted on {first.isoformat()}. Choose that day or a later one.",
            field="on",
        )
    if on > today():
        raise DomainError("Choose a day that has come.", field="on")
    words = SAID[because] + (f": {note}" if note else "")
    return take_out(payment, [(row, on) for row in rows], on=on, words=words)


def take_out(
    payment: Payment, rows: Sequence[tuple[PaymentApplication, date]], *, on: date, words: str
) -> list[str]:
    """Let a locked payment count for nothing from `on`; gives the invoices that owe again.

    `rows` is all it is applied to, each with the day it is taken back. Each remembers which
    return took it back: the payment may be returned and that undone more than once.
    """
    db.session.flush()
    entry_id = reverse_entry(live_entry(payment), on=on, memo=f"Payment returned: {words}")
    for row, day in rows:
        unapply(row, on=day, returned_with=entry_id)
    db.session.flush()
    claim(payment, unapplied=ZERO, returned_on=on, returned_because=words)
    numbers = list(dict.fromkeys(row.invoice.number for row, _ in rows))
    owing = f" Owed again: {', '.join(numbers)}." if numbers else ""
    record("returned", payment, f"Returned on {on.isoformat()}, {words}.{owing}")
    return numbers


def return_problem(payment: Payment) -> str | None:
    """The first reason why this payment cannot be returned, in words, or None."""
    if payment.is_refund:
        return "This gives money back. If it was a mistake, void it instead."
    if payment.origin is PaymentOrigin.DOCUMENT:
        return "This is the credit of a document. Unpost the document instead."
    if payment.returned_on:
        return f"It was already returned on {payment.returned_on.isoformat()}."
    if payment.provider is not None:
        return "It was paid online: the card processor says there whether it comes back."
    if payment.disputed:
        return "The payer's bank disputes this money: wait for what it decides."
    if refunded_from(payment):
        return "Money of it was already given back. Void that refund first."
    return None


def refunded_from(payment: Payment) -> Money:
    """What refunds that count took out of this row, or gave back of the money it brought."""
    query = sa.select(sa.func.sum(Payment.amount)).where(
        sa.or_(Payment.refunds_id == payment.id, Payment.gives_back_id == payment.id),
        Payment.returned_on.is_(None),
    )
    return -(db.session.scalar(query) or ZERO)


def live_entry(payment: Payment) -> JournalEntry:
    """The one entry of it that was not reversed: its receipt or refund, and once it was
    returned the reversal of that."""
    entries = entries_of(payment)
    reversed_ids = {entry.reverses_id for entry in entries}
    by_id = {one.id: one for one in entries}
    live = [one for one in entries if one.id not in reversed_ids]
    standing = [one for one in live if _counts(one, by_id)]
    (entry,) = standing or live[-1:]
    return entry


def _counts(entry: JournalEntry, by_id: Mapping[int, JournalEntry]) -> bool:
    """A receipt counts, its reversal does not, the reversal of that does again."""
    counts = True
    while entry.reverses_id is not None:
        entry, counts = by_id[entry.reverses_id], not counts
    return counts
