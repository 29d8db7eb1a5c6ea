"""The figures over rows that were worked out by hand, and the page, PDF and XLSX of them."""

import io
from datetime import date, timedelta
from decimal import Decimal

import openpyxl
import pytest
from pypdf import PdfReader

from portal.db import db
from portal.kernel.errors import InvalidFields
from portal.kernel.money import ZERO, Money
from portal.models import (
    InvoiceDispute,
    InvoiceDisputeReason,
    PromiseState,
    PromiseToPay,
)
from portal.payments import (
    ReceivedMoney,
    ReturnReason,
    payment_types,
    receive_payment,
    return_payment,
)
from portal.reports import (
    Range,
    collected_by_collector,
    dso_by_month,
    figure_lines,
    range_of,
    receivable_figures,
)
from portal.risk import score_invoices
from tests.conftest import count_statements, staff_client

TODAY = date(2026, 3, 2)
QUARTER = Range(date(2026, 1, 1), date(2026, 3, 2))  # 61 days


@pytest.fixture
def books(build):
    """Owed 500 at the start; 2,000 billed; 900 paid; 300 of what is left is not yet due."""
    old = build.posted("500", on=date(2025, 12, 1))
    late = build.posted("1000", on=date(2026, 1, 10))
    build.posted("700", on=date(2026, 2, 1))
    build.posted("300", on=date(2026, 2, 20), term="Net 30")
    build.payment(old.customer, "500", old, on=date(2026, 1, 20))
    money = ReceivedMoney(customer=late.customer, amount=Money.of(400), type=payment_types()[0],
                          on=date(2026, 2, 3))  # fmt: skip
    receive_payment(money, [(late, Money.of(400))])
    return late


def test_the_amounts_are_those_of_the_days(books):
    figures = receivable_figures(QUARTER)

    assert figures.began == Money.of(500)
    assert figures.billed == Money.of(2000)
    assert figures.ended == Money.of(1600)  # 500 + 2,000 − 500 − 400
    assert (figures.not_due, figures.overdue) == (Money.of(300), Money.of(1300))
    assert figures.invoices == 3


def test_the_figures_follow_from_them_by_hand(books):
    figures = receivable_figures(QUARTER)

    assert figures.dso == Decimal(1600) / 2000 * 61  # 48.8
    assert figures.best_dso == Decimal(300) / 2000 * 61
    assert figures.days_delinquent == Decimal(1300) / 2000 * 61
    assert figures.dso == figures.best_dso + figures.days_delinquent
    assert figures.cei == Decimal(900) / 2200 * 100  # 40.9 %
    # March billed nothing (2 days), February 1,000 (28 days), then 600 of January's 1,000
    assert figures.dso_countback == 2 + 28 + Decimal("0.6") * 31
    shown = {one.name: one.shown for one in figure_lines(figures)}
    assert shown["DSO"] == "48.8 days"
    assert shown["Collection effectiveness (CEI)"] == "40.9 %"


def test_a_past_range_says_what_it_said_then(books, build):
    asked = Range(date(2026, 1, 1), date(2026, 1, 31))
    before = receivable_figures(asked)

    build.payment(books.customer, "600", books, on=TODAY)

    assert receivable_figures(asked) == before


def test_a_company_without_invoices_has_no_figures(build):
    figures = receivable_figures(QUARTER)

    assert (figures.dso, figures.dso_countback, figures.cei) == (None, 0, None)
    assert (figures.promise_rate, figures.dispute_rate) == (None, None)
    assert figures.billed == ZERO


def test_promises_count_on_the_day_they_were_decided(build):
    customer = build.customer()
    for state, on in [("kept", 10), ("kept", 20), ("broken", 28), ("kept", 400), ("open", 0)]:
        day = TODAY - timedelta(days=on) if state != "open" else None
        db.session.add(PromiseToPay(
            customer=customer, amount=Money.of(10), made_on=date(2025, 1, 1),
            promised_on=date(2025, 1, 5), state=PromiseState(state), decided_on=day,
        ))  # fmt: skip
    db.session.flush()

    figures = receivable_figures(QUARTER)

    assert (figures.promises_kept, figures.promises_broken) == (2, 1)
    assert round(figures.promise_rate, 1) == Decimal("66.7")


def test_an_invoice_disputed_twice_counts_once(books, build):
    for _ in range(2):
        db.session.add(InvoiceDispute(invoice=books, amount=Money.of(10), opened_on=TODAY,
                                      reason=InvoiceDisputeReason.PRICE))  # fmt: skip
    db.session.flush()

    assert round(receivable_figures(QUARTER).dispute_rate, 1) == Decimal("33.3")


def test_collected_goes_to_the_customers_collector_net_of_what_came_back(books, build):
    carla = build.person("Carla", role="Collector")
    books.customer.collector = carla
    other = build.posted("50", on=date(2026, 2, 20), term="Net 30")
    build.payment(other.customer, "50", other, on=date(2026, 2, 21))
    db.session.flush()

    found = {one.collector: (one.amount, one.late) for one in collected_by_collector(QUARTER)}

    assert found == {
        "Carla": (Money.of(400), Money.of(400)),
        "": (Money.of(550), Money.of(500)),
    }


def test_money_taken_back_later_counts_back_as_what_it_was(build):
    invoice = build.posted("100", on=date(2026, 2, 1), term="Net 15")
    payment = build.payment(invoice.customer, "100", invoice, on=date(2026, 2, 3))
    return_payment(payment, ReturnReason.BOUNCED, on=date(2026, 2, 25))
    db.session.flush()

    (row,) = collected_by_collector(QUARTER)

    assert (row.amount, row.late) == (Money.of(0), Money.of(0))


def test_the_last_six_month_ends_are_counted_back(books):
    months = dso_by_month(on=TODAY)

    assert [day for day, _days in months][-2:] == [date(2026, 2, 28), TODAY]
    assert len(months) == 6
    assert months[-1][1] == receivable_figures(QUARTER).dso_countback


def test_a_range_that_runs_backwards_is_refused():
    with pytest.raises(InvalidFields):
        range_of(TODAY, TODAY - timedelta(days=1), on=TODAY)
    assert range_of(None, None, on=TODAY).days == 90


def test_the_page_shows_every_figure_with_its_meaning_and_tables(books, office):
    score_invoices()
    page = office.get("/staff/figures?start=2026-01-01&end=2026-03-02").get_data(as_text=True)

    assert "48.8 days" in page
    assert "how many days of billing are still owed" in page
    assert page.count("<svg") == 3
    assert "Then still open" in page


def test_a_wrong_range_is_told_on_the_page(office):
    reply = office.get("/staff/figures?start=2026-03-02&end=2026-01-01")

    assert reply.status_code == 422


def test_the_workbook_carries_numbers_not_words(books, office):
    score_invoices()
    with office.get("/staff/figures/xlsx?start=2026-01-01&end=2026-03-02") as reply:
        book = openpyxl.load_workbook(io.BytesIO(reply.data))

    rows = {row[0]: row[1] for row in book["Figures"].iter_rows(values_only=True)}
    assert rows["DSO"] == 48.8
    assert rows["Billed"] == 2000
    assert book.sheetnames == ["Figures", "Collected", "Cash expected"]


def test_the_pdf_carries_the_same_figures(books, office):
    reply = office.get("/staff/figures/pdf?start=2026-01-01&end=2026-03-02")
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(reply.data)).pages)

    assert "48.8 days" in text
    assert len(reply.data) < 40_000


def test_a_technician_sees_neither_figures_nor_scores(app, build):
    browser = staff_client(app, build, "Technician")

    for path in ("/staff/figures", "/staff/figures/xlsx", "/staff/risk", "/staff/risk/accuracy"):
        assert browser.get(path).status_code == 403


def test_the_page_takes_as_many_statements_for_many_customers(books, build, office):
    office.get("/staff/figures")
    with count_statements() as few:
        office.get("/staff/figures")
    for _ in range(8):
        build.posted("10", on=TODAY)
    db.session.commit()
    with count_statements() as many:
        office.get("/staff/figures")

    assert len(many) == len(few)
