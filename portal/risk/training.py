"""Learning from history with a strict split by time.

A look is an open invoice on a past day: the facts of that day, and whether it was still unpaid
some weeks later. A look may teach only when its outcome was known before the training day, and
it is measured only by looks that came after everything the measured model knew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portal.risk.facts import Knowledge
from portal.risk.logistic import Logistic, calibrate, fit
from portal.risk.rule import HEADLINE, WEEKS
from portal.risk.sums import Flags, Floats, Ints

WEEK = 7
WEEKS_BACK = 104
OLDEST = 365  # days past due beyond which an invoice teaches nothing new
MOST = 120_000  # looks; beyond that a fixed share of them is taken
INVOICES, EACH = 100, 20  # different invoices, and looks of each outcome, that learning needs


class TooShort(Exception):
    """The history does not hold enough to learn from; the sentence says what is missing."""


@dataclass(frozen=True)
class Looks:
    """Open invoices (places in the book) on days of the past, oldest day first."""

    place: Ints
    day: Ints

    def chosen(self, which: Flags | Ints) -> Looks:
        return Looks(self.place[which], self.day[which])

    def __len__(self) -> int:
        return len(self.place)


def find_looks(known: Knowledge, *, until: int) -> Looks:
    """Every invoice on its own date and then once a week while it was open, counted back from
    a day, in the last two years."""
    book = known.book
    new = np.flatnonzero((book.issued < until) & (book.issued >= until - WEEKS_BACK * WEEK))
    places, days = [new], [book.issued[new]]
    for weeks in range(WEEKS_BACK, 0, -1):
        day = until - weeks * WEEK
        maybe = (book.issued < day) & (book.closed_for_good > day) & (day - book.due <= OLDEST)
        place = np.flatnonzero(maybe)
        place = place[book.open_at(place, np.full(len(place), day)) > 0]
        places.append(place)
        days.append(np.full(len(place), day))
    looks = Looks(np.concatenate(places), np.concatenate(days))
    looks = looks.chosen(np.argsort(looks.day, kind="stable"))
    share = -(-len(looks) // MOST)
    if share <= 1:
        return looks
    mixed = book.invoice_id[looks.place] * 2_654_435_761 + looks.day * 40_503
    return looks.chosen((mixed >> 8) % share == 0)


@dataclass(frozen=True)
class Trained:
    """One calibrated model per week ahead, and what it was learned from."""

    weeks: list[Logistic]
    looks: int
    invoices: int
    first: int
    last: int

    def unpaid_by_week(self, matrix: Floats) -> Floats:
        """The chance of being unpaid one to eight weeks on; it never rises from week to week."""
        chances = np.column_stack([one.chances(matrix) for one in self.weeks])
        return np.asarray(np.minimum.accumulate(chances, axis=1))


def train(known: Knowledge, looks: Looks, *, on: int) -> Trained:
    """Learn from the looks whose outcome was known by that day; raises TooShort.

    The newest quarter of the time calibrates what the rest taught.
    """
    mine = looks.chosen(looks.day < on)
    if not len(mine):
        raise TooShort("No invoice has been open for a week yet.")
    span = on - int(mine.day.min())
    split = on - max(span // 4, (WEEKS + 4) * WEEK)
    parts = [_Part(known, mine, ahead, split, on) for ahead in range(1, WEEKS + 1)]
    for part in sorted(parts, key=lambda one: one.ahead != HEADLINE):  # scores are about that one
        part.require()
    matrix = known.facts(mine.place, mine.day).matrix
    taught = mine.chosen(mine.day + HEADLINE * WEEK <= on)
    return Trained(
        weeks=[part.train(matrix) for part in parts],
        looks=len(taught),
        invoices=len(np.unique(taught.place)),
        first=int(taught.day.min()),
        last=int(taught.day.max()),
    )


class _Part:
    """The looks that teach one number of weeks ahead, and the later ones that calibrate it."""

    def __init__(self, known: Knowledge, looks: Looks, ahead: int, split: int, on: int) -> None:
        later = looks.day + ahead * WEEK
        self.ahead, self.looks = ahead, looks
        self.unpaid = known.book.unpaid_at(looks.place, later)
        self.older = later <= split
        self.newer = (looks.day > split) & (later <= on)

    def require(self) -> None:
        """Raises TooShort when there is too little to learn from or to calibrate by."""
        headline = self.ahead == HEADLINE
        for which, least in ((self.older, INVOICES), (self.newer, EACH)):
            invoices, each = (least, EACH) if headline else (EACH, 0)
            places, unpaid = self.looks.place[which], self.unpaid[which]
            _require(places, unpaid, invoices=invoices, each=each)

    def train(self, matrix: Floats) -> Logistic:
        model = fit(matrix[self.older], self.unpaid[self.older])
        return calibrate(model, matrix[self.newer], self.unpaid[self.newer])


def _require(places: Ints, unpaid: Flags, *, invoices: int, each: int) -> None:
    different = len(np.unique(places))
    if different < invoices:
        raise TooShort(f"{different} invoices with a known outcome; learning needs {invoices}.")
    if min(int(unpaid.sum()), int((~unpaid).sum())) < each:
        raise TooShort("Nearly all invoices ended the same way, so there is nothing to learn.")
