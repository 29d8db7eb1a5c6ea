import re
from contextlib import suppress
from datetime import date, timedelta
from random import Random

import pytest

from portal.db import PageRequest, db
from portal.invoices import cancel_invoice, hand_out_link, post_invoice
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import SentState
from portal.payments import apply_payment, credit_of, unapply
from portal.receivables import (
    AgingFilter,
    aging,
    aging_of_customer,
    aging_totals,
    customers_owing,
    open_items,
    pending_total,
    receivable_booked,
)
from portal.receivables.aging import BUCKETS

DAY = timedelta(days=1)


def everybody(on, **wanted):
    return aging(AgingFilter(**wanted), PageRequest(), on=on)


@pytest.mark.parametrize(
    ("days_late", "bucket"),
    [
        (-1, "current"),
        (0, "current"),
        (1, "days_1_30"),
        (30, "days_1_30"),
        (31, "days_31_60"),
        (60, "days_31_60"),
        (61, "days_61_90"),
        (90, "days_61_90"),
        (91, "days_over_90"),
    ],
)
def test_an_invoice_ages_by_the_days_past_its_due_date(build, days_late, bucket):
    invoice = build.posted("100.00", on=build.today - 200 * DAY, term="Net 30")

    row = aging_of_customer(invoice.customer_id, on=invoice.due_date + days_late * DAY)

    assert {name: getattr(row, name) for name in BUCKETS if getattr(row, name)} == {
        bucket: Money.of(100)
    }


def test_what_was_paid_later_was_still_owed_then(build):
    invoice = build.posted("100.00", on=date(2026, 1, 5))
    build.payment(invoice.customer, "30.00", invoice, on=date(2026, 2, 10))
    build.payment(invoice.customer, "70.00", invoice, on=date(2026, 3, 1))

    owed = [everybody(on).totals.total for on in (date(2026, 1, 4), date(2026, 1, 5),
            date(2026, 2, 9), date(2026, 2, 10), date(2026, 3, 1))]  # fmt: skip

    assert owed == [ZERO, Money.of(100), Money.of(100), Money.of(70), ZERO]


def test_an_application_taken_back_is_owed_again_from_that_day(build):
    invoice = build.posted("100.00", on=date(2026, 1, 5))
    payment = build.payment(invoice.customer, "100.00", invoice, on=date(2026, 1, 10))
    unapply(payment.applications[0], on=date(2026, 2, 1))
    db.session.flush()

    assert everybody(date(2026, 1, 31)).rows == []
    assert everybody(date(2026, 2, 1)).totals.total == Money.of(100)


def test_money_entered_late_is_applied_only_when_the_invoice_was_owed_again(build):
    invoice = build.posted("100.00", on=date(2026, 1, 5))
    first = build.payment(invoice.customer, "80.00", invoice, on=date(2026, 1, 10))
    unapply(first.applications[0], on=date(2026, 2, 1))

    fits = build.payment(invoice.customer, "20.00", invoice, on=date(2026, 1, 12))
    late = build.payment(invoice.customer, "80.00", invoice, on=date(2026, 1, 12))
    db.session.flush()

    days = [one.applications[0].applied_on for one in (fits, late)]
    assert days == [date(2026, 1, 12), date(2026, 2, 1)]
    owed = [everybody(date(2026, 1, day)).totals.total for day in (9, 10, 12, 31)]
    assert owed == [Money.of(100), Money.of(20), ZERO, ZERO]
    assert everybody(date(2026, 2, 1)).totals.total == ZERO


def test_pending_and_cancelled_invoices_are_nobodys_debt(build):
    build.invoice("100.00")
    cancel_invoice(build.invoice("50.00"), because="a mistake")
    db.session.flush()

    assert everybody(build.today).rows == []


def test_open_items_name_each_invoice_once_with_what_was_open_on_it(build):
    customer = build.customer()
    first = build.posted("100.00", customer=customer, on=date(2026, 1, 5))
    second = build.posted("40.00", customer=customer, on=date(2026, 1, 6))
    build.payment(customer, "25.00", first, on=date(2026, 2, 1))
    build.payment(customer, "40.00", second, on=date(2026, 1, 20))

    def items(on):
        return [(one.id, amount) for one, amount in open_items(customer.id, on=on)]

    assert items(date(2026, 1, 10)) == [(first.id, Money.of(100)), (second.id, Money.of(40))]
    assert items(date(2026, 1, 31)) == [(first.id, Money.of(100))]
    assert items(build.today) == [(first.id, Money.of(75))]


def test_the_list_is_paged_sorted_and_searched_with_the_totals_of_all(build):
    for name, price in (("Ada", "10.00"), ("Bob", "30.00"), ("Bobby", "20.00")):
        build.posted(price, customer=build.customer(name))

    page = aging(AgingFilter(), PageRequest(number=2, size=2), on=build.today)
    assert [row.customer_name for row in page.rows] == ["Ada"]
    assert (page.total, page.last, page.totals.total) == (3, 2, Money.of(60))
    found = everybody(build.today, q="bob")
    assert [row.customer_name for row in found.rows] == ["Bob", "Bobby"]
    assert found.totals.total == Money.of(50)


@pytest.mark.parametrize("seed", range(4))
def test_on_every_day_of_a_random_story_aging_ties_to_the_control_account(build, seed):
    random, start = Random(seed), build.today - 150 * DAY
    customers = [build.customer(f"Customer {n}") for n in range(3)]
    invoices, payments = [], []
    for _ in range(40):
        on = start + random.randint(0, 150) * DAY
        customer = random.choice(customers)
        match random.choice(["invoice", "invoice", "pay", "apply", "unapply"]):
            case "invoice":
                price = str(random.randint(1, 500))
                make = random.choice([build.posted, build.posted, build.invoice])
                invoices.append(make(price, customer=customer, on=on))
            case "pay":
                mine = [one for one in invoices if one.customer is customer and one.balance]
                payments.append(build.payment(customer, "120.00", *mine[:2], on=on))
            case "apply" if payments:
                payment = random.choice(payments)
                mine = [one for one in invoices if one.customer is payment.customer]
                if mine:
                    with suppress(DomainError):  # on that day it was no credit yet
                        apply_payment(payment, random.choice(mine), Money.of(15), on=on)
            case "unapply":
                taken = {a.reverses_id for p in payments for a in p.applications}
                live = [a for p in payments for a in p.applications
                        if not a.reverses_id and a.id not in taken]  # fmt: skip
                if live:
                    unapply(random.choice(live), on=on)
        db.session.flush()
        db.session.expire_all()

    for days in range(0, 160, 3):
        on = start + days * DAY
        page = everybody(on)
        assert page.totals.total == receivable_booked(on=on) == aging_totals(on=on).total
        assert page.totals.total == Money.total(
            amount for one in customers for _, amount in open_items(one.id, on=on)
        )


def test_money_taken_back_before_posting_still_counts_on_the_days_between(build):
    invoice = build.invoice("100.00", on=date(2026, 2, 1))
    payment = build.payment(invoice.customer, "10.00", invoice, on=date(2026, 2, 2))
    unapply(payment.applications[0], on=date(2026, 2, 9))
    post_invoice(invoice)
    db.session.flush()

    days = (date(2026, 2, 1), date(2026, 2, 5), date(2026, 2, 9))
    assert [everybody(on).totals.total for on in days] == [
        Money.of(100),
        Money.of(90),
        Money.of(100),
    ]
    assert [receivable_booked(on=on) for on in days] == [Money.of(100), Money.of(90), Money.of(100)]


def test_a_page_beyond_the_end_is_the_last_one(build):
    for name in ("Ada", "Bob", "Cyd"):
        build.posted("10.00", customer=build.customer(name))

    page = aging(AgingFilter(), PageRequest(number=99, size=2), on=build.today)

    assert (page.number, len(page.rows), page.totals.total) == (2, 1, Money.of(30))


def test_credit_is_of_that_day(build):
    invoice = build.posted("100.00", on=date(2026, 1, 5))
    payment = build.payment(invoice.customer, "100.00", on=date(2026, 1, 20))
    apply_payment(payment, invoice, Money.of(100), on=date(2026, 2, 10))
    db.session.flush()

    days = (date(2026, 1, 19), date(2026, 1, 20), date(2026, 2, 9), date(2026, 2, 10))
    credit = [credit_of(invoice.customer_id, on=on) for on in days]

    assert credit == [ZERO, Money.of(100), Money.of(100), ZERO]


def test_a_sent_invoice_that_is_not_posted_is_listed_apart(build, office):
    invoice = build.invoice("70.00")
    invoice.sent_state = SentState.SENT
    build.invoice("5.00")
    db.session.commit()

    assert pending_total() == (1, Money.of(70))
    assert "One sent invoice is not yet final" in office.get("/staff/receivables").text
    page = office.get(f"/staff/receivables/{invoice.customer_id}").text
    assert "Not yet final" in page
    assert invoice.reference_number in page


def test_who_has_credit_is_found_owing_or_not(build):
    owes, rich, both = (build.customer(name) for name in ("Owes", "Rich", "Both"))
    build.posted("10", customer=owes)
    build.payment(rich, "30", on=date(2026, 2, 20))
    build.posted("40", customer=both)
    build.payment(both, "5")
    on = build.today

    def names(credit, on=on):
        found = aging(AgingFilter(credit=credit), PageRequest(sort="name"), on=on)
        return [row.customer_name for row in found.rows]

    assert names(None) == ["Both", "Owes"]
    assert names(True) == ["Both", "Rich"]
    assert names(False) == ["Owes"]
    assert names(True, on=date(2026, 2, 25)) == ["Rich"]
    assert names(True, on=date(2026, 2, 1)) == []
    assert customers_owing(AgingFilter(credit=True), on=on) == [both.id]
    assert aging(AgingFilter(credit=True), PageRequest(), on=on).owing == 1


def test_only_who_owes_is_offered_to_be_charged(build, office):
    rich, both = (build.customer(name) for name in ("Rich", "Both"))
    build.payment(rich, "30")
    build.posted("40", customer=both)
    build.payment(both, "5")
    db.session.commit()

    page = office.get("/staff/receivables?credit=yes").text

    assert "Charge the saved method of the one that matches" in page
    assert "Select Both" in page
    assert "Select Rich" not in page


def test_the_link_to_what_is_not_final_yet_leads_to_all_of_it(build, office):
    sent, opened, changed = (build.invoice("70") for _ in range(3))
    sent.sent_state, opened.sent_state = SentState.SENT, SentState.OPENED
    hand_out_link(changed)
    changed.sent_total = Money.of(60)
    build.invoice("5")
    db.session.commit()
    assert pending_total()[0] == 3
    (address,) = re.findall(
        r'href="(/staff/invoices\?[^"]*in_hand[^"]*)"', office.get("/staff/receivables").text
    )

    page = office.get(address.replace("&amp;", "&")).text

    assert [one.number in page for one in (sent, opened, changed)] == [True] * 3
    assert page.count("data-row") == 3
