"""Interest by hand: once a month, on what is past due, never on interest."""

import re
from datetime import UTC, date, datetime

import pytest

from portal.db import db
from portal.invoices import (
    InvoiceFacts,
    change_invoice,
    charge_interest,
    get_invoice,
    interest_problem,
    post_invoice,
    propose_interest,
)
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields, PeriodClosed
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.ledger import account_id_for, entries_of
from portal.models import (
    AccountingPeriod,
    AccountRole,
    InvoiceKind,
    InvoiceState,
    PeriodState,
)

TWELVE = Rate.percent(12)
TODAY = date(2026, 3, 2)
APRIL = datetime(2026, 4, 6, 18, 0, tzinfo=UTC)


@pytest.fixture
def overdue(build):
    """Due upon receipt on the first of January: sixty days past due."""
    return build.posted("1000", on=date(2026, 1, 1))


def test_a_rate_is_computed_over_the_days_past_due_and_says_how(overdue):
    proposal = propose_interest(overdue, rate=TWELVE, on=TODAY)

    assert proposal.amount == Money.of("19.73")  # 1000 × 0.12 × 60 ÷ 365
    assert proposal.sentence == "$1,000.00 × 12% per year × 60 days ÷ 365 = $19.73"


def test_the_draft_hangs_on_the_invoice_with_one_untaxed_line(build):
    place = build.location(zone=build.zone("10"))
    overdue = build.posted("1000", location=place, on=date(2026, 1, 1))

    draft = charge_interest(overdue, rate=TWELVE)

    assert (draft.kind, draft.state) == (InvoiceKind.INTEREST, InvoiceState.PENDING)
    assert draft.adjusts is overdue
    assert draft.invoice_date == TODAY
    (line,) = draft.lines
    assert (line.taxable, draft.tax_total, draft.total) == (False, ZERO, line.total)
    assert "12% per year × 60 days" in line.description
    assert overdue.total == Money.of(1100)


def test_posting_it_books_interest_income(overdue):
    draft = charge_interest(overdue, flat=Money.of(25))

    post_invoice(draft)

    legs = {line.account_id: line.amount for entry in entries_of(draft) for line in entry.lines}
    assert legs[account_id_for(AccountRole.INTEREST_INCOME)] == Money.of(-25)
    assert draft.balance == Money.of(25)


def test_a_line_edited_by_hand_still_goes_to_interest_income(office, overdue):
    draft = charge_interest(overdue, flat=Money.of(25))
    db.session.commit()
    address = f"/staff/invoices/{draft.id}/lines/{draft.lines[0].id}"
    data = {"version": draft.version, "item": "Late fee", "quantity": "1", "unit_price": "20"}

    office.post(address, data=data)

    (line,) = get_invoice(draft.id).lines
    assert line.total == Money.of(20)
    assert line.income_account_id == account_id_for(AccountRole.INTEREST_INCOME)


def test_interest_is_charged_once_per_invoice_and_month_and_names_the_earlier_one(overdue):
    first = charge_interest(overdue, flat=Money.of(5))

    with pytest.raises(DomainError, match=first.number):
        charge_interest(overdue, flat=Money.of(5))


def test_a_cancelled_draft_does_not_count(office, overdue):
    first = charge_interest(overdue, flat=Money.of(5))
    first.state = InvoiceState.CANCELLED
    db.session.flush()

    assert charge_interest(overdue, rate=TWELVE).total == Money.of("19.73")


def test_the_next_month_starts_where_the_last_charge_ended(overdue):
    charge_interest(overdue, rate=TWELVE)

    with clock.frozen(APRIL):
        second = charge_interest(overdue, rate=TWELVE)

    assert second.total == Money.of("11.51")  # 1000 × 0.12 × 35 ÷ 365


def test_no_interest_is_charged_on_interest(overdue):
    draft = charge_interest(overdue, flat=Money.of(25))
    post_invoice(draft)

    with clock.frozen(APRIL), pytest.raises(DomainError, match="on interest"):
        charge_interest(draft, flat=Money.of(1))


@pytest.mark.parametrize("how", ["pending", "not due", "paid"])
def test_only_what_is_past_due_bears_interest(build, how):
    if how == "pending":
        invoice = build.invoice("10", on=date(2026, 1, 1))
    elif how == "not due":
        invoice = build.posted("10", term="Net 30")
    else:
        invoice = build.posted("10", on=date(2026, 1, 1))
        build.payment(invoice.customer, "10", invoice)

    assert interest_problem(invoice, on=TODAY)
    with pytest.raises(DomainError):
        charge_interest(invoice, flat=Money.of(1))


def test_the_disputed_part_bears_none(build, overdue):
    payment = build.payment(overdue.customer, "400", overdue)
    payment.disputed = True
    db.session.flush()

    proposal = propose_interest(get_invoice(overdue.id), rate=TWELVE, on=TODAY)

    assert proposal.sentence.startswith("$600.00 ×")


@pytest.mark.parametrize(
    "words", [{}, {"rate": TWELVE, "flat": Money.of(1)}, {"flat": ZERO}, {"rate": Rate(0)}]
)
def test_a_rate_or_an_amount_is_needed_and_must_come_to_something(overdue, words):
    with pytest.raises(InvalidFields):
        charge_interest(overdue, **words)


def test_nothing_is_charged_into_a_closed_month(overdue):
    db.session.add(AccountingPeriod(starts_on=date(2026, 3, 1), state=PeriodState.CLOSED))
    db.session.flush()

    with pytest.raises(PeriodClosed):
        charge_interest(overdue, flat=Money.of(5))


def test_the_screen_shows_the_computation_and_makes_the_draft_once(office, overdue):
    address = f"/staff/invoices/{overdue.id}/interest"

    live = office.get(f"{address}?rate=12&flat=", headers={"HX-Request": "true"}).text
    assert "× 60 days ÷ 365 = $19.73" in live
    assert "<html" not in live
    key = re.search(r'name="once"[^>]*value="([^"]+)"', office.get(address).text)[1]
    replies = [office.post(address, data={"once": key, "rate": "12"}) for _ in range(2)]

    assert replies[0].location == replies[1].location
    page = office.get(replies[0].location).text
    assert "Interest" in page
    original = office.get(f"/staff/invoices/{overdue.id}").text
    assert "Interest of $19.73 was charged: draft" in original
    assert "Interest was already charged this month" in original


def test_what_cannot_be_computed_is_told_beside_what_was_typed(office, overdue):
    reply = office.post(f"/staff/invoices/{overdue.id}/interest", data={"rate": "120"})

    assert reply.status_code == 422
    assert 'value="120"' in reply.text
    assert "between 0 and 100" in reply.text


@pytest.mark.parametrize("day", [date(2026, 2, 1), None])
def test_interest_is_not_dated_back_so_that_no_day_is_charged_twice(overdue, day):
    draft = charge_interest(overdue, rate=TWELVE)

    def dated(day):
        facts = InvoiceFacts(
            reference_number=draft.reference_number,
            invoice_date=day,
            term=draft.term,
            location=draft.location,
            tax_zone=None,
            business_unit_id=None,
            summary=draft.summary,
            purchase_order="",
        )
        change_invoice(draft, facts, version=draft.version)

    with pytest.raises(InvalidFields) as told:
        dated(day)

    assert "cancel it and charge again" in told.value.errors["invoice_date"]
    dated(date(2026, 3, 5))
    assert draft.invoice_date == date(2026, 3, 5)
