import io
from contextlib import suppress
from datetime import date, timedelta
from random import Random

import openpyxl
import pytest

from portal.db import PageRequest, db
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.payments import apply_payment, credit_of, unapply
from portal.receivables import (
    AgingBy,
    AgingView,
    aging_by_month,
    aging_totals,
    grouped_aging,
    open_list,
    receivable_booked,
)
from portal.receivables.aging import FIGURES

DAY = timedelta(days=1)


def groups(on, **view):
    return grouped_aging(AgingView(**view), PageRequest(), on=on)


def test_a_location_without_name_is_called_by_its_street_and_its_customer(build):
    place = build.location(build.customer("Ada"))
    build.posted("80.00", location=place)
    build.posted("20.00", customer=place.customer)

    rows = groups(build.today, by=AgingBy.LOCATION).page.rows

    assert [(row.name, row.whose, row.figures.total) for row in rows] == [
        (place.street, "Ada", Money.of(80)),
        ("", "", Money.of(20)),
    ]


def test_the_net_view_sets_credit_against_what_is_open_and_lists_pure_credit(build):
    owing, rich = build.customer("Ada"), build.customer("Bea")
    build.posted("100.00", customer=owing)
    build.payment(owing, "30.00")
    build.payment(rich, "15.00")
    db.session.flush()

    found = groups(build.today, net=True)

    assert [(row.name, row.figures.total, row.credit, row.net) for row in found.page.rows] == [
        ("Ada", Money.of(100), Money.of(30), Money.of(70)),
        ("Bea", ZERO, Money.of(15), Money.of(-15)),
    ]
    assert found.totals.net == Money.of(55)
    assert [row.name for row in groups(build.today).page.rows] == ["Ada"]


def test_what_belongs_to_no_business_unit_is_a_group_one_can_open(build):
    invoice = build.posted("40.00")
    build.posted("10.00")

    assert [row.key for row in groups(build.today, by=AgingBy.BUSINESS_UNIT).page.rows] == [None]
    page, total = open_list(AgingView(business_unit_id=0), PageRequest(), on=build.today)
    assert (page.total, total) == (2, Money.of(50))
    assert page.rows[0].number == invoice.number


def test_collectors_have_what_their_customers_owe_net_of_credit(build):
    carla = build.person("Carla Collector")
    mine, nobodys = build.customer("Ada"), build.customer("Bea")
    mine.collector = carla
    build.posted("100.00", customer=mine)
    build.payment(mine, "30.00")
    build.posted("40.00", customer=nobodys)
    db.session.flush()

    found = groups(build.today, by=AgingBy.COLLECTOR, net=True)

    assert [(row.key, row.name, row.figures.total, row.net) for row in found.page.rows] == [
        (carla.id, "Carla Collector", Money.of(100), Money.of(70)),
        (None, "", Money.of(40), Money.of(40)),
    ]
    assert groups(build.today, by=AgingBy.COLLECTOR, q="carla").page.total == 1
    for collector, open_ in ((carla.id, 100), (0, 40)):
        view = AgingView(collector_id=collector)
        assert open_list(view, PageRequest(), on=build.today)[1] == Money.of(open_)


def tell_a_story(build, seed):
    random, start = Random(seed), build.today - 150 * DAY
    places = [build.location(build.customer(f"Customer {n}")) for n in range(3)]
    invoices, payments = [], []
    for _ in range(30):
        on, place = start + random.randint(0, 150) * DAY, random.choice(places)
        match random.choice(["invoice", "invoice", "pay", "apply", "unapply"]):
            case "invoice":
                where = {"location": random.choice([place, None]), "customer": place.customer}
                make = random.choice([build.posted, build.posted, build.invoice])
                invoices.append(make(str(random.randint(1, 500)), on=on, **where))
            case "pay":
                mine = [one for one in invoices if one.customer is place.customer and one.balance]
                payments.append(build.payment(place.customer, "120.00", *mine[:2], on=on))
            case "apply" if payments:
                payment = random.choice(payments)
                mine = [one for one in invoices if one.customer is payment.customer]
                if mine:
                    with suppress(DomainError):
                        apply_payment(payment, random.choice(mine), Money.of(15), on=on)
            case "unapply":
                taken = {a.reverses_id for p in payments for a in p.applications}
                live = [a for p in payments for a in p.applications
                        if not a.reverses_id and a.id not in taken]  # fmt: skip
                if live:
                    unapply(random.choice(live), on=on)
        db.session.flush()
        db.session.expire_all()
    return [place.customer for place in places]


@pytest.mark.parametrize("seed", range(3))
def test_on_every_day_each_grouping_adds_up_to_the_control_account(build, seed):
    customers = tell_a_story(build, seed)
    for days in range(0, 155, 7):
        on = build.today - 150 * DAY + days * DAY
        booked, whole = receivable_booked(on=on), aging_totals(on=on)
        for by in AgingBy:
            found = groups(on, by=by)
            assert found.totals.figures.total == booked
            assert Money.total(row.figures.total for row in found.page.rows) == booked
            for name in FIGURES:
                assert getattr(found.totals.figures, name) == getattr(whole, name)
        credit = {one.id: credit_of(one.id, on=on) for one in customers}
        net = {row.key: row.credit for row in groups(on, net=True).page.rows if row.credit}
        assert net == {key: amount for key, amount in credit.items() if amount}
        assert open_list(AgingView(), PageRequest(), on=on)[1] == booked


def test_the_months_tell_what_the_page_showed_then(build):
    invoice = build.posted("100.00", on=date(2026, 1, 5))
    build.payment(invoice.customer, "60.00", invoice, on=date(2026, 2, 10))
    db.session.flush()

    rows = aging_by_month(on=build.today)

    assert [row.on for row in rows[-3:]] == [date(2026, 1, 31), date(2026, 2, 28), build.today]
    assert [row.figures.total for row in rows[-4:]] == [
        ZERO, Money.of(100), Money.of(40), Money.of(40),
    ]  # fmt: skip
    assert len(rows) == 12


def test_the_workbook_holds_the_groups_and_every_open_invoice(build, office):
    build.posted("100.00", customer=build.customer("=Ada"))
    build.posted("50.00", customer=build.customer("Bea"), on=date(2026, 1, 5))

    with office.get("/staff/receivables/aging/workbook.xlsx") as reply:
        book = openpyxl.load_workbook(io.BytesIO(reply.data))

    aging, items = book.worksheets
    assert [row[0].value for row in aging.iter_rows(min_row=2)][:2] == ["=Ada", "Bea"]
    assert [cell.value for cell in list(aging.iter_rows())[-1]][8] == 150
    assert [row[8].value for row in items.iter_rows(min_row=2)] == [50, 100, 150]
    assert items["B3"].data_type == "s"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?net=yes",
        "?by=location",
        "?by=business_unit&q=x",
        "?by=collector&net=yes",
        "?on=2026-01-31&sort=name",
        "?by=no",
    ],
)
def test_every_view_of_the_aging_opens(build, office, query):
    build.posted("100.00", location=build.location(build.customer("Ada & <Co>")))

    for path in ("", "/invoices", "/months"):
        page = office.get(f"/staff/receivables/aging{path}{query}")
        assert page.status_code == 200
    assert "Ties to Accounts Receivable" in office.get("/staff/receivables/aging").text
    assert "Twelve months" in office.get("/staff/receivables").text
