"""One template, two sizes: htmx gets the block that changed, everybody else the page."""

import pytest

from portal.db import db
from portal.models import GatewayEvent, GatewayEventState

HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize(
    "path",
    ["invoices", "jobs", "customers", "payments", "receivables", "outbox", "price-book",
     "tax-zones", "payment-terms", "accounts", "people", "online-payments", "review",
     "review/aging", "review/paid", "approval-rules"],
)  # fmt: skip
def test_every_list_answers_htmx_with_its_rows_only(office, build, path):
    build.posted("10")

    page = office.get(f"/staff/{path}")
    rows = office.get(f"/staff/{path}", headers=HTMX)
    boosted = office.get(f"/staff/{path}", headers=HTMX | {"HX-Boosted": "true"})

    assert rows.status_code == 200
    assert "<!doctype html>" not in rows.text
    assert 'id="rows"' in rows.text
    assert "<!doctype html>" in page.text
    assert "<!doctype html>" in boosted.text
    assert "HX-Request" in rows.headers["Vary"]


def test_adding_a_line_swaps_the_record_with_new_totals(office, build):
    invoice = build.invoice()

    reply = office.post(
        f"/staff/invoices/{invoice.id}/lines",
        data={"item": "Copper pipe", "quantity": "3", "unit_price": "9.85", "taxable": "y"},
        headers=HTMX,
    )

    assert reply.status_code == 200
    assert "<!doctype html>" not in reply.text
    assert "$29.55" in reply.text


def test_a_bad_line_keeps_what_was_typed_and_says_why_beside_the_field(office, build):
    invoice = build.invoice()

    reply = office.post(
        f"/staff/invoices/{invoice.id}/lines",
        data={"item": "Copper pipe", "quantity": "lots", "unit_price": "9.85"},
        headers=HTMX,
    )

    assert reply.status_code == 422
    assert "Give a number such as 12.50." in reply.text
    assert 'value="Copper pipe"' in reply.text
    assert 'value="lots"' in reply.text


def test_parked_events_are_leafed_through(build, office):
    for n in range(12):
        db.session.add(
            GatewayEvent(gateway="test", event_ref=f"e{n}", kind=f"kind-{n:02}", body=b"",
                         state=GatewayEventState.PARKED)
        )  # fmt: skip
    db.session.commit()

    first = office.get("/staff/online-payments/events?size=10").text
    second = office.get("/staff/online-payments/events?size=10&page=2").text

    assert "page=2" in first
    assert ("kind-11" in first, "kind-00" in first) == (True, False)
    assert ("kind-11" in second, "kind-00" in second) == (False, True)
