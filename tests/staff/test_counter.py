"""The counter: from the first item to the receipt in one screen, all of it or nothing."""

import re
from datetime import date

import pytest
import sqlalchemy as sa

from portal.company import company
from portal.db import db
from portal.invoices import get_invoice
from portal.kernel.money import ZERO, Money
from portal.ledger import trial_balance
from portal.models import (
    AccountingPeriod,
    Customer,
    Invoice,
    InvoiceKind,
    InvoiceState,
    ItemKind,
    Payment,
    PaymentMethod,
    PeriodState,
    Submission,
)
from portal.payments import payment_types
from portal.taxes import map_postal_code
from tests.conftest import count_statements, staff_client
from tests.staff.test_masters import company_words

FRAGMENT = {"HX-Request": "true"}


def paid_by(method):
    return next(one.id for one in payment_types() if one.method is method)


@pytest.fixture
def filters_item(build):
    return build.item("12.50", code="FILTER", kind=ItemKind.MATERIAL)


def sale(*rows, **words):
    """What the counter's form sends; a row is (item, quantity, price)."""
    names = ("item", "quantity", "unit_price")
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    cash = paid_by(PaymentMethod.CASH)
    sent = {"customer": "", "item_id": [""] * len(rows), "type_id": cash} | columns | words
    return {name: value for name, value in sent.items() if value is not None}


def count(table):
    return db.session.scalar(sa.select(sa.func.count()).select_from(table))


def sell(office, *rows, **words):
    return office.post("/staff/counter", data=sale(*rows, **words))


def sold(reply):
    assert reply.status_code == 303, reply.text
    return get_invoice(int(reply.location.rpartition("/")[2]))


def test_one_press_makes_posts_and_pays_the_invoice(office, build, filters_item):
    zone = build.zone("8")

    reply = sell(
        office, ("FILTER", "2", ""), ("Key cut", "", "5"), seen="32.40", tax_zone_id=zone.id
    )

    invoice = sold(reply)
    assert (invoice.kind, invoice.state) == (InvoiceKind.POINT_OF_SALE, InvoiceState.POSTED)
    assert (invoice.total, invoice.balance) == (Money.of("32.40"), ZERO)
    assert invoice.due_date == invoice.invoice_date == build.today
    assert [line.quantity.value for line in invoice.lines] == [2, 1]
    assert invoice.job_id is None
    books = {row.account.name: row.balance for row in trial_balance(build.today)}
    assert books["Undeposited Funds"] == Money.of("32.40")
    assert books.get("Accounts Receivable", ZERO) == ZERO
    assert books["Sales Tax Payable"] == Money.of("-2.40")


def test_the_receipt_shows_lines_tax_money_given_and_change(office, filters_item):
    reply = sell(office, ("FILTER", "2", ""), seen="25.00", tendered="30")

    page = office.get(reply.location).text

    assert "Give back $5.00." in page
    assert "$30.00 given, $5.00 change" in page
    assert "2 × $12.50" in page
    assert "Counter customer" in page
    assert "Receipt as PDF" in page


def test_the_customer_who_gives_no_name_is_made_once(office, filters_item):
    for _ in range(2):
        sold(sell(office, ("FILTER", "1", ""), seen="12.50"))

    names = db.session.scalars(sa.select(Customer.name).join(Invoice)).all()
    assert names == ["Counter customer"] * 2
    assert count(Customer) == 1


def test_a_known_customer_pays_the_agreed_price_and_may_buy_on_account(office, build, filters_item):
    ada = build.customer("Ada", term_id=build.term("Net 30").id)
    office.post(f"/staff/customers/{ada.id}/prices", data={"item": "FILTER", "unit_price": "10"})

    reply = sell(office, ("FILTER", "1", ""), seen="10.00", customer="Ada", type_id="")

    invoice = sold(reply)
    assert (invoice.customer_id, invoice.balance) == (ada.id, Money.of(10))
    assert (invoice.due_date - invoice.invoice_date).days == 30
    assert count(Payment) == 0
    assert "Due" in office.get(reply.location).text


def test_nobody_without_a_name_buys_on_account(office, filters_item):
    sold(sell(office, ("FILTER", "1", ""), seen="12.50"))  # now the counter customer exists

    for customer in ("", "Counter customer"):
        reply = sell(office, ("FILTER", "1", ""), seen="12.50", customer=customer, type_id="")
        assert reply.status_code == 422
        assert "name a customer" in reply.text
    assert count(Invoice) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"tendered": "20"}, "$5.00 are missing."),
        ({"tendered": "abc"}, "Give an amount such as 12.50."),
        ({"seen": "24.00"}, "It comes to $25.00. Look at it, then press again."),
        ({"seen": None}, "It comes to $25.00. Look at it, then press again."),
        ({"customer": "Nobody of that name"}, "Choose a customer by name."),
        ({"tax_zone_id": "999"}, "Choose one from the list."),
        ({"type_id": "999"}, "Choose one from the list."),
    ],
)
def test_a_refusal_keeps_what_was_typed_and_makes_nothing(office, filters_item, words, sentence):
    reply = sell(office, ("FILTER", "2", ""), **{"seen": "25.00", "reference": "till 2"} | words)

    assert reply.status_code == 422
    assert sentence in reply.text
    assert 'value="FILTER"' in reply.text
    assert 'value="till 2"' in reply.text
    assert [count(table) for table in (Invoice, Payment, Customer, Submission)] == [0] * 4


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (("Unheard of", "1", ""), "Not in the price book"),
        (("FILTER", "0", ""), "Give a quantity above zero."),
        (("FILTER", "-1", ""), "Give a quantity above zero."),
        (("FILTER", "two", ""), "Give a number such as 12.50."),
        (("", "1", "5"), "Say what is sold."),
    ],
)
def test_a_wrong_line_is_told_beside_it(office, filters_item, row, sentence):
    reply = sell(office, ("FILTER", "1", ""), row, seen="12.50")

    assert reply.status_code == 422
    assert sentence in reply.text
    assert count(Invoice) == 0


def test_nothing_sold_is_refused(office):
    reply = sell(office, ("", "", ""), seen="0.00")

    assert reply.status_code == 422
    assert "Nothing is sold yet" in reply.text


def test_only_cash_gives_change(office, filters_item):
    check = paid_by(PaymentMethod.CHECK)

    reply = sell(office, ("FILTER", "1", ""), seen="12.50", type_id=check, tendered="20")

    assert "Only cash gives change." in reply.text
    sold(sell(office, ("FILTER", "1", ""), seen="12.50", type_id=check, reference="#101"))
    assert db.session.scalars(sa.select(Payment)).one().reference == "#101"


def test_a_sale_for_nothing_needs_no_payment(office):
    invoice = sold(sell(office, ("Sample", "1", "0"), seen="0.00"))

    assert invoice.state is InvoiceState.POSTED
    assert count(Payment) == 0


def test_two_presses_sell_once(office, filters_item):
    key = re.search(r'name="once"[^>]*value="([^"]+)"', office.get("/staff/counter").text)[1]

    replies = [sell(office, ("FILTER", "1", ""), seen="12.50", once=key) for _ in range(2)]

    assert replies[0].location == replies[1].location
    assert (count(Invoice), count(Payment)) == (1, 1)


def test_enter_prices_the_row_and_leaves_room_for_more_without_scripts(office, filters_item):
    data = sale(*[("FILTER", "1", "")] * 5, step="look")

    page = office.post("/staff/counter", data=data)

    assert page.status_code == 200
    assert page.text.count('value="FILTER"') == 5
    assert page.text.count('name="quantity"') == 8
    assert 'name="seen" value="62.50"' in page.text
    look, press = page.text.index('value="look"'), page.text.index("</i> Sell")
    assert look < press  # what Enter presses is the first button
    assert count(Invoice) == 0


def test_the_total_is_live_with_tax_and_change_and_saves_nothing(office, build, filters_item):
    zone = build.zone("8")
    query = sale(("FILTER", "2", ""), tax_zone_id=zone.id, tendered="50")

    page = office.get("/staff/counter/total", query_string=query, headers=FRAGMENT).text

    assert "<html" not in page
    assert "$27.00" in page
    assert "$23.00" in page
    assert count(Invoice) == count(Customer) == 0


def test_the_tax_zone_of_the_shop_is_proposed(office, build):
    zone = build.zone("8", name="Downtown")
    map_postal_code("62701", zone)
    company().postal_code = "62701"
    db.session.flush()

    page = office.get("/staff/counter").text

    assert f'<option selected value="{zone.id}">Downtown</option>' in page


def test_the_zone_the_settings_name_for_who_walks_in_wins(office, build):
    map_postal_code("62701", build.zone("8", name="Downtown"))
    chosen = build.zone("5", name="Airport")
    company().postal_code = "62701"
    db.session.flush()
    answer = office.post("/staff/settings", data=company_words(walk_in_zone_id=chosen.id))
    assert answer.status_code == 303

    page = office.get("/staff/counter").text

    assert f'<option selected value="{chosen.id}">Airport</option>' in page


def test_the_only_zone_there_is_is_proposed(office, build):
    zone = build.zone("8", name="Downtown")
    db.session.flush()

    assert f'<option selected value="{zone.id}">' in office.get("/staff/counter").text


def test_a_closed_month_sells_nothing(office, filters_item):
    db.session.add(AccountingPeriod(starts_on=date(2026, 3, 1), state=PeriodState.CLOSED))
    db.session.flush()

    reply = sell(office, ("FILTER", "1", ""), seen="12.50")

    assert reply.status_code == 422
    assert "March 2026 is closed" in reply.text
    assert count(Invoice) == 0


def test_only_a_sale_has_a_slip(office, build):
    invoice = build.posted("10")

    assert office.get(f"/staff/counter/sales/{invoice.id}").status_code == 404


def test_a_long_sale_asks_the_database_no_more_per_look_than_rows(app, build, office):
    item = build.item("1", code="ONE")
    query = sale(*[(item.code, "1", "")] * 20)

    with count_statements() as statements:
        office.get("/staff/counter/total", query_string=query, headers=FRAGMENT)

    assert len(statements) < 20 * 3 + 30


def test_who_only_looks_does_not_sell(app, build):
    browser = staff_client(app, build, "Read-only")

    assert browser.get("/staff/counter").status_code == 403
    assert browser.post("/staff/counter").status_code == 403
