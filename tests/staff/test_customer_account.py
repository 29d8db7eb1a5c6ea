"""The customer's account page, and the screen that takes one payment for many invoices."""

from datetime import date, timedelta

import pytest

from portal.db import db
from tests.conftest import staff_client


@pytest.fixture
def desk(app, build):
    return staff_client(app, build, "Accountant")


def proposal(desk, customer, **typed):
    words = {"customer_id": customer.id, **typed}
    return desk.get(
        "/staff/payments/new/shares", query_string=words, headers={"HX-Request": "true"}
    )


def test_the_account_shows_open_items_and_history(desk, build):
    invoice = build.posted("100.00", on=date(2026, 1, 5))
    build.payment(invoice.customer, "30.00", invoice, on=date(2026, 1, 20))

    page = desk.get(f"/staff/customers/{invoice.customer_id}/account").text

    assert "$70.00" in page
    assert invoice.number in page
    assert "Jan 20, 2026" in page


def test_an_account_without_anything_says_so(desk, build):
    page = desk.get(f"/staff/customers/{build.customer().id}/account").text

    assert "Nothing is open" in page
    assert "Nothing happened yet" in page


def test_an_unknown_customer_has_no_account(desk):
    assert desk.get("/staff/customers/999999/account").status_code == 404


def test_a_typed_amount_is_proposed_for_the_oldest_first(desk, build):
    old = build.posted("100.00", on=date(2026, 1, 5))
    build.posted("50.00", on=date(2026, 2, 5), customer=old.customer)
    db.session.commit()

    page = proposal(desk, old.customer, amount="120").text

    assert page.index("$100.00") < page.index("$20.00")
    assert 'placeholder="$100.00"' in page
    assert 'placeholder="$20.00"' in page


def test_what_is_left_over_is_said_before_it_is_recorded(desk, build):
    invoice = build.posted("100.00", on=build.today - timedelta(days=9))
    db.session.commit()

    assert "$25.00 would stay" in proposal(desk, invoice.customer, amount="125").text


@pytest.mark.parametrize("amount", ["", "-5", "many", "0"])
def test_an_amount_that_is_none_proposes_nothing(desk, build, amount):
    invoice = build.posted("100.00")
    db.session.commit()

    answer = proposal(desk, invoice.customer, amount=amount)

    assert answer.status_code == 200
    assert "placeholder" not in answer.text


def test_what_was_typed_beside_an_invoice_stays(desk, build):
    invoice = build.posted("100.00")
    db.session.commit()

    page = proposal(desk, invoice.customer, amount="10", **{f"share-{invoice.id}": "7.50"}).text

    assert 'value="7.50"' in page
