"""Numbers without gaps under sixteen posters at once, of series that nobody has begun yet."""

from datetime import date
from random import Random

import pytest
import sqlalchemy as sa

from portal.db import db, in_transaction
from portal.invoices import get_invoice, post_invoice, post_invoices
from portal.ledger.numbering import next_number
from portal.models import Invoice, InvoiceState, NumberSeries

pytestmark = pytest.mark.concurrency
POSTERS = 16
GIVES_UP = 0.2  # so many postings take their number and are rolled back
LAST_YEAR, THIS_YEAR = date(2025, 12, 24), date(2026, 2, 10)


class GaveUp(Exception):
    """Somebody took a number and then the transaction was rolled back."""


def until_kept(random, act):
    """Carry it out as a request would; now and then it is rolled back at its end, and begun again.

    Returns how often it was rolled back.
    """

    def carried_out():
        act()
        db.session.flush()
        if random.random() < GIVES_UP:
            raise GaveUp

    for rolled_back in range(100):
        try:
            in_transaction(carried_out)
        except GaveUp:
            continue
        return rolled_back
    raise AssertionError("the dice never fell well")


def counters():
    query = sa.select(NumberSeries.series, NumberSeries.fiscal_year, NumberSeries.last_number)
    return {f"{series}-{year}": last for series, year, last in db.session.execute(query)}


def numbers():
    return sorted(db.session.scalars(sa.select(Invoice.document_number)))


def in_a_row(begins, count):
    return [f"{begins}-{n:05}" for n in range(1, count + 1)]


def test_sixteen_posters_of_two_years_nobody_began_leave_no_gap(build, at_once, turn):
    days = [LAST_YEAR, THIS_YEAR]
    ids = [build.invoice("10", on=days[n % 2]).id for n in range(4 * POSTERS)]
    rolled_back = []

    def poster(which):
        random = Random(turn * POSTERS + which)

        def act():
            for invoice_id in ids[which::POSTERS]:
                post = lambda invoice_id=invoice_id: post_invoice(get_invoice(invoice_id))  # noqa: E731
                rolled_back.append(until_kept(random, post))

        return act

    assert not {"INV-2025", "INV-2026"} & counters().keys()
    assert at_once(*[poster(n) for n in range(POSTERS)]) == [None] * POSTERS

    assert sum(rolled_back) > 0.1 * len(ids)
    assert numbers() == in_a_row("INV-2025", 32) + in_a_row("INV-2026", 32)
    assert {name: counters()[name] for name in ("INV-2025", "INV-2026")} == {
        "INV-2025": 32, "INV-2026": 32,
    }  # fmt: skip


def test_sixteen_posters_of_mixed_years_at_once_never_wait_in_a_circle(build, at_once, turn):
    """Each posts some of both years in one transaction, in an order of its own."""
    days = [LAST_YEAR, THIS_YEAR]
    ids = [build.invoice("10", on=days[n // POSTERS % 2]).id for n in range(4 * POSTERS)]
    said = []

    def poster(which):
        random = Random(turn * POSTERS + which)
        share = ids[which::POSTERS]
        random.shuffle(share)

        def post(some):
            said.extend(post_invoices(some).refused)

        def act():
            for some in (share[:2], share[2:]):
                until_kept(random, lambda some=some: post(some))

        return act

    assert at_once(*[poster(n) for n in range(POSTERS)]) == [None] * POSTERS

    assert said == []
    assert numbers() == in_a_row("INV-2025", 32) + in_a_row("INV-2026", 32)
    query = sa.select(sa.func.count()).where(Invoice.state == InvoiceState.POSTED)
    assert db.session.scalar(query) == len(ids)


def test_sixteen_who_begin_a_series_at_once_get_one_number_each(app, at_once, turn):
    given = []

    def taker(which):
        random = Random(turn * POSTERS + which)

        def act():
            mine = []
            until_kept(random, lambda: mine.append(next_number("INV", date(2031 + turn, 5, 4))))
            given.extend(mine[-1])

        return act

    assert at_once(*[taker(n) for n in range(POSTERS)]) == [None] * POSTERS

    assert sorted(given) == in_a_row(f"INV-{2031 + turn}", POSTERS)
