from datetime import date

import pytest

from portal.models import DueKind, PaymentTerm

AFTER, THIS, NEXT, END = (
    DueKind.DAYS_AFTER, DueKind.DAY_OF_THIS_MONTH, DueKind.DAY_OF_NEXT_MONTH, DueKind.END_OF_MONTH,
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "day", "invoiced", "due"),
    [
        (AFTER, 0, "2026-03-02", "2026-03-02"),  # due upon receipt
        (AFTER, 30, "2026-01-31", "2026-03-02"),
        (AFTER, 30, "2028-01-31", "2028-03-01"),  # a leap year
        (AFTER, 365, "2026-03-02", "2027-03-02"),
        (THIS, 25, "2019-07-10", "2019-07-25"),  # the reference's own example
        (THIS, 10, "2026-03-10", "2026-03-10"),  # the day itself is not past
        (THIS, 10, "2026-03-11", "2026-04-10"),  # past: the next month's
        (THIS, 31, "2026-02-10", "2026-02-28"),  # clamped
        (THIS, 31, "2026-02-28", "2026-02-28"),
        (THIS, 30, "2026-01-31", "2026-02-28"),  # past, then clamped
        (THIS, 5, "2026-12-06", "2027-01-05"),  # over the year's end
        (NEXT, 15, "2026-03-02", "2026-04-15"),
        (NEXT, 31, "2026-01-31", "2026-02-28"),
        (NEXT, 31, "2028-01-31", "2028-02-29"),
        (NEXT, 1, "2026-12-31", "2027-01-01"),
        (END, 0, "2026-02-01", "2026-02-28"),
        (END, 0, "2026-04-30", "2026-04-30"),
    ],
)
def test_the_due_date_follows_from_the_invoice_date(kind, day, invoiced, due):
    term = PaymentTerm(name="Example", due_kind=kind, due_day=day)

    assert term.due_date(date.fromisoformat(invoiced)) == date.fromisoformat(due)
