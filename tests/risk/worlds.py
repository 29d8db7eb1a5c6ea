"""A made-up history whose truth is known: who pays each week with which chance."""

from datetime import date

import numpy as np

from portal.risk.book import Book

TODAY = date(2026, 3, 2).toordinal()


def made_up(*, customers=400, days=700, every=10, seed=7, ignorant=False):
    """Each week an open invoice is paid with its customer's own chance, the truth of the world.

    Some pay within days, most within weeks, a few hardly ever. In an `ignorant` world all have
    one chance and nothing can be learned.
    """
    random = np.random.default_rng(seed)
    weekly = np.clip(random.beta(1.2, 2.2, customers), 0.04, 0.95)
    if ignorant:
        weekly[:] = 0.35
    issued = np.arange(TODAY - days, TODAY, dtype=np.int64).repeat(every)
    owner = random.integers(0, customers, len(issued))
    weeks = random.geometric(weekly[owner])
    paid_on = issued + 7 * weeks - random.integers(0, 7, len(issued))
    total = random.integers(5_000, 90_000, len(issued))
    return make_book(owner, issued, total, paid_on), weekly


def make_book(owner, issued, total, paid_on, *, due=None, write_off=None):
    """A book in which each invoice is paid in full on its day, as far as today knows."""
    owner, issued = np.asarray(owner, dtype=np.int64), np.asarray(issued, dtype=np.int64)
    total, paid_on = np.asarray(total, dtype=np.int64), np.asarray(paid_on, dtype=np.int64)
    place = np.flatnonzero(paid_on <= TODAY)
    off = np.zeros(len(issued), dtype=bool) if write_off is None else np.asarray(write_off)
    return Book(
        invoice_id=np.arange(1, len(issued) + 1),
        customer=owner,
        business=np.zeros(len(issued), dtype=bool),
        issued=issued,
        due=issued + 14 if due is None else np.asarray(due, dtype=np.int64),
        total=total,
        mover=place,
        moved_on=paid_on[place],
        moved=total[place],
        paying=~off[place],
        begins=TODAY - 3 * 365,
    )
