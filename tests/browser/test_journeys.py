"""What people do, in a real browser, with scripts as the browser runs them."""

import re

import pytest

from portal.db import db
from tests.architecture.graph import ROOT


def test_the_office_writes_posts_and_sends_an_invoice(desk, build):
    build.customer("Ada Lovelace", email="ada@example.org")
    build.item("38.25", code="VALVE")
    db.session.commit()
    db.session.remove()

    desk.goto("/staff/invoices/new")
    desk.locator("#customer").press_sequentially("Ada", delay=30)
    desk.locator(".lookup-results [data-pick]").first.click()
    desk.get_by_role("button", name="Begin the invoice").click()
    desk.wait_for_url(re.compile(r"/staff/invoices/\d+$"))
    desk.locator("#item").press_sequentially("VAL", delay=30)
    desk.locator(".lookup-results [data-pick]").first.click()
    desk.fill("#quantity", "2")
    desk.locator(".line-form").get_by_role("button", name="Add").click()
    desk.locator(".totals .grand", has_text="$76.50").first.wait_for()
    desk.get_by_role("link", name="Post").click()
    desk.get_by_text("Nobody reviewed it yet.").wait_for()
    desk.get_by_role("button", name="Post it for $76.50").click()
    desk.get_by_text("Posted as INV-2026-00001").first.wait_for()
    desk.get_by_role("link", name="Send …").click()
    desk.locator("#preview").get_by_text("See and pay the invoice").wait_for()
    desk.get_by_role("button", name="Keep in the outbox").click()
    desk.get_by_text("One message is kept in the outbox, not sent").wait_for()


def test_a_customer_pays_on_the_phone_in_two_taps(page, build):
    path = build.pay_path(build.posted("120"))
    db.session.remove()

    page.goto(path)
    page.get_by_role("button", name="Pay $120.00").click()
    page.get_by_role("button", name="Pay by card").click()

    page.get_by_text("Your payment arrived").wait_for()
    page.get_by_role("link", name="Back to your invoices").click()
    page.get_by_text("This invoice is paid").wait_for()


def test_paying_works_without_scripts(chromium, server, build):
    path = build.pay_path(build.posted("120"))
    db.session.remove()
    context = chromium.new_context(java_script_enabled=False, base_url=server)
    tab = context.new_page()

    tab.goto(path)
    tab.get_by_text("Pay a part of it").click()
    tab.fill("#amount", "20")
    tab.get_by_role("button", name="Pay", exact=True).click()
    tab.get_by_role("button", name="Pay by card").click()

    assert "Your payment arrived" in tab.content()
    context.close()


PAGES = [
    "/staff/",
    "/staff/invoices",
    "/staff/invoices/1",
    "/staff/invoices/2/posting",
    "/staff/jobs",
    "/staff/style-guide",
    "/staff/payments",
    "/staff/price-book/new",
    "/staff/customers/1",
    "/staff/receivables",
    "/staff/payments/new?customer_id=1",
    "/staff/imports",
    "/staff/payment-methods",
    "/staff/customers/1/payment-methods",
    "/staff/invoices/1/charge",
    "/my/sign-in",
]


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(desk, build, path):
    build.saved_method(build.posted("10").customer)
    build.invoice("20")
    db.session.commit()
    db.session.remove()
    desk.goto(path)

    desk.evaluate((ROOT / "static/vendor/axe/axe.min.js").read_text())
    found = desk.evaluate(
        "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html))"
    )

    assert found == []
