"""The screens of late fees: from the term's settings to a charge that is taken back."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.late_fees import exemption_of, limits, rule_of
from portal.models import FeeRunState, Invoice, InvoiceKind, LateFeeItem, LateFeeRun
from portal.tasks import run_waiting
from tests.conftest import staff_client
from tests.late_fees.test_runs import DUE, LONG_AGO, TODAY

RULE = {
    "active": "y", "shape": "percent", "rate": "12", "frequency": "monthly", "base": "principal",
    "grace_days": "10", "cap": "", "flat": "", "applies_from": TODAY.isoformat(),
    "kinds": ["manual", "job"], "version": "0",
}  # fmt: skip


@pytest.fixture
def late(build, office):
    """The term's rule as the screen saves it, and an invoice two months late."""
    term = build.term(DUE)
    reply = office.post(f"/staff/payment-terms/{term.id}/late-fees", data=RULE)
    assert reply.status_code == 303
    rule_of(term).applies_from = LONG_AGO
    return build.posted("1000", on=TODAY - timedelta(days=50))


def once(page):
    return re.search(r'name="once"[^>]*value="([^"]+)"', page)[1]


def look(office):
    page = office.get("/staff/late-fees").get_data(as_text=True)
    office.post("/staff/late-fees", data={"once": once(page)})
    run_waiting()
    return db.session.scalars(sa.select(LateFeeRun).order_by(LateFeeRun.id.desc())).first()


def test_from_looking_to_charging_to_taking_back(late, office):
    run = look(office)
    page = office.get(f"/staff/late-fees/{run.id}").get_data(as_text=True)
    assert "$1,000.00 × 12% per year × 2 of 12 months = $20.00" in page
    assert "Charge $20.00 …" in page

    question = office.get(f"/staff/late-fees/{run.id}/charging").get_data(as_text=True)
    reply = office.post(f"/staff/late-fees/{run.id}/charging",
                        data={"once": once(question), "posts": "y"})  # fmt: skip
    assert reply.status_code == 303
    run_waiting()
    kind = Invoice.kind == InvoiceKind.INTEREST
    document = db.session.scalars(sa.select(Invoice).where(kind)).one()
    assert document.number in office.get(f"/staff/late-fees/{run.id}").get_data(as_text=True)

    assert "taking-back" in office.get(f"/staff/invoices/{document.id}").get_data(as_text=True)
    address = f"/staff/late-fees/invoices/{document.id}/taking-back"
    back = office.get(address).get_data(as_text=True)
    empty = office.post(address, data={"once": once(back), "because": ""})
    assert (empty.status_code, "Say why" in empty.get_data(as_text=True)) == (422, True)
    again = once(empty.get_data(as_text=True))
    assert office.post(address, data={"once": again, "because": "Goodwill"}).status_code == 303
    db.session.refresh(document)
    assert not document.balance


def test_pressing_charge_twice_charges_once(late, office):
    run = look(office)
    page = office.get(f"/staff/late-fees/{run.id}/charging").get_data(as_text=True)
    for _ in range(2):
        office.post(f"/staff/late-fees/{run.id}/charging", data={"once": once(page), "posts": "y"})
        run_waiting()

    kind = Invoice.kind == InvoiceKind.INTEREST
    assert db.session.scalar(sa.select(sa.func.count()).where(kind)) == 1


def test_ticked_ones_are_left_out_and_taken_in_again(late, office):
    run = look(office)
    item = db.session.scalars(sa.select(LateFeeItem)).one()
    words = {"item": item.id, "out": "yes"}

    page = office.post(f"/staff/late-fees/{run.id}/choice", data=words, follow_redirects=True)
    assert "One is left out." in page.get_data(as_text=True)
    left = office.get(f"/staff/late-fees/{run.id}?state=left_out").get_data(as_text=True)
    assert "Take in again" in left
    refused = office.post(f"/staff/late-fees/{run.id}/charging",
                          data={"once": once(_question(office, run)), "posts": "y"})  # fmt: skip
    assert "Nothing is left to charge" in refused.get_data(as_text=True)
    office.post(f"/staff/late-fees/{run.id}/choice", data=words | {"out": "no"})

    db.session.refresh(item)
    assert item.state == "proposed"


def _question(office, run):
    return office.get(f"/staff/late-fees/{run.id}/charging").get_data(as_text=True)


def test_who_may_not_post_only_makes_drafts(late, app, build, office):
    run = look(office)
    clerk = staff_client(app, build, "Office")
    page = clerk.get(f"/staff/late-fees/{run.id}/charging").get_data(as_text=True)

    assert "They stay drafts" in page
    forced = clerk.post(f"/staff/late-fees/{run.id}/charging",
                        data={"once": once(page), "posts": "y"})  # fmt: skip
    assert forced.status_code == 403
    db.session.refresh(run)
    assert run.state is FeeRunState.PROPOSED


def test_a_wrong_rule_is_told_beside_its_field(build, office):
    term = build.term(DUE)
    reply = office.post(f"/staff/payment-terms/{term.id}/late-fees", data=RULE | {"rate": "0"})

    assert reply.status_code == 422
    assert "Give a rate above 0" in reply.get_data(as_text=True)


def test_the_second_of_two_people_is_told(build, office):
    term = build.term(DUE)
    address = f"/staff/payment-terms/{term.id}/late-fees"
    office.post(address, data=RULE)
    rule = rule_of(term)
    first = office.post(address, data=RULE | {"version": str(rule.version), "rate": "10"})
    second = office.post(address, data=RULE | {"version": str(rule.version - 1), "rate": "11"})

    assert (first.status_code, second.status_code) == (303, 422)


def test_limits_are_set_and_removed(office):
    office.post("/staff/late-fee-limits", data={"region": "wa", "rate": "12"})
    assert [(one.region, one.rate.as_percent) for one in limits()] == [("WA", 12)]
    assert "12%" in office.get("/staff/late-fee-limits").get_data(as_text=True)

    office.post("/staff/late-fee-limits", data={"region": "WA", "rate": ""})
    assert limits() == []


def test_a_customer_is_exempt_with_a_reason_and_charged_again(build, office):
    customer = build.customer()
    address = f"/staff/customers/{customer.id}/late-fees"

    assert office.post(address, data={"because": ""}).status_code == 422
    office.post(address, data={"because": "A church"})
    assert exemption_of(customer).because == "A church"
    office.post(address, data={"because": "A church", "end": "yes"})
    assert exemption_of(customer) is None


def test_an_invoice_nobody_charged_by_rule_cannot_be_taken_back(build, office):
    invoice = build.posted("10")

    reply = office.get(f"/staff/late-fees/invoices/{invoice.id}/taking-back")

    assert reply.status_code == 422
