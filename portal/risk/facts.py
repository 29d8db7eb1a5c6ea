"""What was known of an invoice and its customer at the end of a day, as numbers.

Every number is computed from rows dated that day or before; tests shuffle the future to prove
it. What customers did weighs less the older it is and the fewer times it happened.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portal.risk.book import Book
from portal.risk.sums import Floats, Ints, LatestDays, RunningSums

FACTS = (  # columns of the matrix, and which reason each belongs to
    ("before_due", "age"),
    ("is_late", "age"),
    ("first_month_late", "age"),
    ("next_two_months_late", "age"),
    ("later", "age"),
    ("late_share", "habit"),
    ("days_late", "delay"),
    ("experience", "experience"),
    ("others_late", "others"),
    ("since_payment", "silence"),
    ("paid_share", "part"),
    ("amount", "amount"),
    ("business", "business"),
)
HALF_LIFE = 180  # days until what a customer did weighs half
PARTS = 1 << 20  # of a weight of one
SHRINK = 3.0  # so many average invoices are added to each customer's own
NEVER_PAID = 120  # days late that a write-off counts as; longer delays count as this, too
MANY = 10  # beyond which more of the same says nothing new
LONG_AGO = 365  # days since a payment beyond which it makes no difference


@dataclass(frozen=True)
class Facts:
    """The matrix the model reads, and the plain numbers that its reasons are worded with."""

    matrix: Floats
    days_past_due: Ints
    settled: Ints
    settled_late: Ints
    days_late: Floats
    others_late: Ints
    since_payment: Ints  # −1: never
    paid_share: Floats
    open_cents: Ints


class Knowledge:
    """A book made ready to be asked about any invoice on any day."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._habits = _habits(book)
        self._average = _habits(book, of_all=True)
        self._late_now = _late_now(book)
        paid = (book.moved > 0) & book.paying
        self._payments = LatestDays(book.customer[book.mover[paid]], book.moved_on[paid])

    def facts(self, place: Ints, day: Ints) -> Facts:
        """One row for each invoice (its place in the book) on its day."""
        book, owner = self.book, self.book.customer[place]
        late = day - book.due[place]
        settled, settled_late, weight, weighed = self._habits.at(owner, day)
        late_now = self._late_now.at(owner, day)[0]
        others = late_now - (late > 0)
        share, delay = self._shrunk(
            day, settled + late_now, settled_late + late_now, weight, weighed
        )
        paid_on = self._payments.at(owner, day, otherwise=np.full(len(place), -1))
        since = np.where(paid_on < 0, LONG_AGO, np.minimum(day - paid_on, LONG_AGO))
        open_cents = book.open_at(place, day)
        paid_share = 1 - open_cents / book.total[place]
        matrix = np.column_stack([
            np.clip(late, -45, 0) / 30, late > 0, np.clip(late, 0, 30) / 30,
            np.clip(late - 30, 0, 60) / 60, np.clip(late - 90, 0, 275) / 90,
            np.log(share / (1 - share)), np.arcsinh(delay / 7),
            np.log1p(np.minimum(settled, MANY)), np.log1p(np.clip(others, 0, MANY)),
            np.log1p(since), paid_share, np.log10(np.maximum(open_cents, 1) / 100 + 1),
            book.business[place],
        ]).astype(np.float64)  # fmt: skip
        return Facts(matrix, late, settled, settled_late, delay, others,
                     np.where(paid_on < 0, -1, since), paid_share, open_cents)  # fmt: skip

    def _shrunk(
        self, day: Ints, known: Ints, late: Ints, weight: Ints, weighed: Ints
    ) -> tuple[Floats, Floats]:
        """A customer's share of late invoices and recent days late, drawn towards everybody's.

        What is past due and open counts as late already.
        """
        everybody = np.zeros(len(day), dtype=np.int64)
        n, n_late, all_weight, all_weighed = self._average.at(everybody, day)
        share = (n_late + 1) / (n + 2)
        delay = all_weighed / np.maximum(all_weight, 1e-9)
        fade = 0.5 ** (np.maximum(day - self.book.begins, 0) / HALF_LIFE) / PARTS
        return (
            (late + SHRINK * share) / (known + SHRINK),
            (weighed * fade + SHRINK * delay) / (weight * fade + SHRINK),
        )


def _habits(book: Book, *, of_all: bool = False) -> RunningSums:
    """Invoices settled, settled late, and recent days late with their weights, per customer.

    An invoice that opens again takes back what its closing had counted. Weights are whole
    numbers, so that sums are exact and what comes later cannot touch them even by rounding.
    """
    turns = book.closings
    days = np.clip(turns.day - book.due[turns.place], -30, NEVER_PAID)
    days = np.where(turns.written_off, NEVER_PAID, days)
    sign = np.where(turns.closed, 1, -1)
    if len(days):  # the closing stands just before its reopening
        days = np.where(turns.closed, days, np.roll(days, 1))
    ages = np.maximum(turns.day - book.begins, 0) / HALF_LIFE
    weight = np.round(PARTS * 2.0**ages).astype(np.int64)
    if len(weight):
        weight = np.where(turns.closed, weight, np.roll(weight, 1))
    owner = book.customer[turns.place]
    group = np.zeros_like(owner) if of_all else owner
    late = sign * (days > 0)
    return RunningSums(group, turns.day, sign, late, sign * weight, sign * weight * days)


def _late_now(book: Book) -> RunningSums:
    """How many invoices of each customer are past due: +1 when one becomes so, −1 when closed."""
    turns = book.closings
    everyone = np.arange(len(book))
    begins_place = np.concatenate([everyone, turns.place[~turns.closed]])
    begins = np.concatenate([book.issued, turns.day[~turns.closed]])
    late_from = book.due + 1
    begins = np.maximum(begins, late_from[begins_place])
    ends_place, ends = turns.place[turns.closed], turns.day[turns.closed]
    ends = np.maximum(ends, late_from[ends_place])
    return RunningSums(
        book.customer[np.concatenate([begins_place, ends_place])],
        np.concatenate([begins, ends]),
        np.concatenate([np.ones_like(begins), -np.ones_like(ends)]),
    )
