"""Few links, one of them marked, and everything else behind the account."""

import re

import pytest

import customer
from customer.navigation import ENTRIES, PART_OF
from portal.db import db
from tests.conftest import payer_client

EMAIL = "customer1@example.org"


def links(page):
    nav = page.partition('class="customer-nav')[2].partition("</nav>")[0]
    return re.findall(r">([^<>]+)</a>", nav)


def here(page):
    return re.findall(r'aria-current="page">([^<]+)', page)


@pytest.fixture
def browser(app, build):
    build.payment(build.customer(), "10")
    db.session.commit()
    return payer_client(app, EMAIL)


def test_plans_are_offered_only_to_whom_they_concern(app, build):
    who = build.customer()
    db.session.commit()
    page = payer_client(app, who.email).get("/my/").text
    assert links(page) == ["Home", "Invoices", "Payments", "Statements", "Account"]

    build.posted("80", customer=who)
    db.session.commit()
    page = payer_client(app, who.email).get("/my/").text
    assert links(page) == ["Home", "Invoices", "Payments", "Statements", "Plans", "Account"]


@pytest.mark.parametrize(
    ("address", "title"),
    [("", "Home"), ("invoices", "Invoices"), ("payments", "Payments"), ("statements", "Statements"),
     ("plans", "Plans"),
     ("account", "Account"), ("sign-in/browsers", "Account"), ("autopay", "Account"),
     ("payment-methods", "Account")],
)  # fmt: skip
def test_the_page_that_is_shown_is_marked(browser, address, title):
    assert here(browser.get(f"/my/{address}").text) == [title]


def test_the_account_leads_to_everything_else(browser):
    page = browser.get("/my/account").text

    for title in ("Payment methods", "Autopay", "Devices"):
        address = re.search(rf'href="([^"]+)">{title}<', page)[1]
        assert browser.get(address).status_code == 200
    assert browser.post("/my/sign-in/out").status_code == 303


@pytest.mark.parametrize("screen", [f"customer.{one.bp.name}" for one in customer.SCREENS])
def test_every_screen_belongs_to_one_entry(screen):
    parents = {endpoint.rpartition(".")[0] for _title, endpoint in ENTRIES}
    assert PART_OF.get(screen, screen) in parents
