"""Payment plans on the office's screens: offered with a preview, listed, ended with words."""

import pytest
import sqlalchemy as sa

from portal.customers import add_customer_type, customer_types
from portal.db import db
from portal.models import PaymentPlan, PlanRhythm, PlanState
from portal.payment_plans import ask_for_plan
from tests.conftest import count_statements, staff_client
from tests.payment_plans.plans import TODAY, accepted, bob, in_days, offered, on_day


def form_of(*invoices, **words):
    return {
        "ids": [one.id for one in invoices], "amount": "", "payments": "4", "rhythm": "monthly",
        "first_on": TODAY.isoformat(), "note": "", **words,
    }  # fmt: skip


def only_plan():
    db.session.expire_all()
    return db.session.scalars(sa.select(PaymentPlan)).one()


@pytest.fixture
def invoice(build):
    return build.posted("400", on=in_days(-40), term="Net 15")


def test_the_form_begins_with_the_proposal_and_its_reasons(office, invoice):
    page = office.get(f"/staff/payment-plans/new?customer_id={invoice.customer_id}").text
    assert "There is no payment to learn from; $400.00 suggests 3 payments." in page
    assert "$133.34" in page
    assert page.count("$133.33") == 2


def test_the_preview_follows_what_is_typed_and_saves_nothing(office, invoice):
    path = f"/staff/payment-plans/{invoice.customer_id}/preview"
    page = office.post(path, data=form_of(invoice, payments="2"), headers={"HX-Request": "true"})
    assert page.text.count("$200.00") == 2
    assert "<html" not in page.text
    none = office.post(path, data=form_of(), headers={"HX-Request": "true"}).text
    assert "Choose at least one invoice" in none
    assert "cannot be split" not in none
    five = office.post(path, data=form_of(invoice, payments="5")).text
    assert "A consumer may be offered at most 4 payments" in five
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PaymentPlan)) == 0


@pytest.mark.parametrize(("typed", "words"), [
    ({"payments": "5"}, "at most 4 payments"),
    ({"payments": "x"}, "Not a valid integer"),
    ({"first_on": "2026-03-01"}, "lies in the past"),
    ({"first_on": "soon"}, "This is not a date"),
    ({"amount": "400.01"}, "Only $400.00 is owed"),
    ({"amount": "-5"}, "cannot be split"),
    ({"ids": []}, "Choose at least one invoice"),
    ({"rhythm": "daily"}, "Invalid Choice"),
])  # fmt: skip
def test_what_cannot_be_offered_is_said_and_what_was_typed_stays(office, invoice, typed, words):
    path = f"/staff/payment-plans/{invoice.customer_id}"
    reply = office.post(path, data=form_of(invoice, **typed))
    assert reply.status_code == 422
    assert reply.text.count(words) == 1
    assert "$0.00 cannot be split" not in reply.text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PaymentPlan)) == 0


def test_a_plan_on_a_disputed_invoice_is_refused_on_the_screen(office, build, invoice):
    build.payment(invoice.customer, "50", invoice).disputed = True
    page = office.get(f"/staff/payment-plans/new?customer_id={invoice.customer_id}").text
    assert "is disputed. No plan is agreed until that is decided." in page
    reply = office.post(f"/staff/payment-plans/{invoice.customer_id}", data=form_of(invoice))
    assert (reply.status_code, "is disputed" in reply.text) == (422, True)


def test_an_offer_sent_twice_is_one_offer(office, invoice):
    path, data = f"/staff/payment-plans/{invoice.customer_id}", form_of(invoice, once="same")
    first, second = office.post(path, data=data), office.post(path, data=data)
    assert (first.status_code, second.location) == (303, first.location)
    plan = only_plan()
    assert "3 monthly payments were suggested; the office chose 4" in plan.reasons[-1]
    assert plan.number in office.get(first.location).text


def test_a_wish_is_answered_from_its_page(office, invoice):
    wish = ask_for_plan(invoice.customer, [invoice], rhythm=PlanRhythm.WEEKLY, asked_by="a@b.c")
    db.session.commit()
    page = office.get(f"/staff/payment-plans/new?plan_id={wish.id}").text
    assert "Weekly payments were asked for." in page
    data = form_of(invoice, plan_id=str(wish.id), rhythm="weekly")
    assert office.post(f"/staff/payment-plans/{invoice.customer_id}", data=data).status_code == 303
    assert only_plan().state is PlanState.PROPOSED


@pytest.mark.parametrize("field", ["plan_id", "replaces_id"])
@pytest.mark.parametrize("step", ["", "/preview"])
def test_another_customers_plan_is_not_filled_with_these_invoices(
    office, build, invoice, field, step
):
    theirs = build.posted("300", customer=build.customer("Bob"))
    other = accepted(theirs) if field == "replaces_id" else offered(theirs)
    db.session.commit()
    before = other.version
    data = form_of(invoice, note="x", **{field: str(other.id)})
    reply = office.post(f"/staff/payment-plans/{invoice.customer_id}{step}", data=data)
    assert reply.status_code == 404
    assert (only_plan().version, only_plan().shares[0].invoice_id) == (before, theirs.id)
    crossed = office.get(f"/staff/payment-plans/new?customer_id={invoice.customer_id}"
                         f"&{field}={other.id}")  # fmt: skip
    assert "Bob" in crossed.text


def test_saying_no_and_withdrawing_ask_for_words_first(office, invoice):
    wish = ask_for_plan(invoice.customer, [invoice], rhythm=PlanRhythm.WEEKLY, asked_by="a@b.c")
    db.session.commit()
    path = f"/staff/payment-plans/{wish.id}"
    assert office.get(f"{path}/refusal").status_code == 200
    assert office.post(f"{path}/refusal", data={"because": " "}).status_code == 422
    assert office.post(f"{path}/refusal", data={"because": "Not now."}).status_code == 303
    plan = offered(invoice)
    db.session.commit()
    assert office.get(f"/staff/payment-plans/{plan.id}/withdrawal").status_code == 200
    reply = office.post(f"/staff/payment-plans/{plan.id}/withdrawal", data={"because": "Mistake."})
    assert reply.status_code == 303
    assert office.post(f"/staff/payment-plans/{plan.id}/withdrawal",
                       data={"because": "Again."}).status_code == 422  # fmt: skip


@pytest.mark.parametrize(("reachable", "offer", "end"), [
    (True, "The customer gets it by mail", "The customer is told by mail"),
    (False, "Nobody has an email address", "Nobody has an email address"),
])  # fmt: skip
def test_that_the_customer_is_told_is_said_only_when_it_is_so(office, build, reachable, offer, end):
    invoice = build.posted("400", customer=bob(build, reachable=reachable))
    db.session.commit()
    reply = office.post(f"/staff/payment-plans/{invoice.customer_id}", data=form_of(invoice))
    assert offer in office.get(reply.location).text
    path = f"/staff/payment-plans/{only_plan().id}/withdrawal"
    reply = office.post(path, data={"because": "Mistake."})
    assert end in office.get(reply.location).text
    invoice = db.session.merge(invoice)
    ask_for_plan(invoice.customer, [invoice], rhythm=PlanRhythm.WEEKLY, asked_by="phone")
    db.session.commit()
    plan = db.session.scalars(sa.select(PaymentPlan).order_by(PaymentPlan.id.desc())).first()
    page = office.get(f"/staff/payment-plans/{plan.id}/refusal").text
    assert ("The customer is told by mail, with your words" in page) == reachable


def test_re_aging_begins_from_the_old_plan(office, invoice):
    old = accepted(invoice)
    db.session.commit()
    page = office.get(f"/staff/payment-plans/new?replaces_id={old.id}").text
    assert f"A new plan in place of {old.number}" in page
    data = form_of(invoice, replaces_id=str(old.id), payments="2", note="Lost the job")
    reply = office.post(f"/staff/payment-plans/{invoice.customer_id}", data=data)
    assert reply.status_code == 303
    assert old.number in office.get(reply.location).text
    assert "In its place" in office.get(f"/staff/payment-plans/{old.id}").text


def test_the_list_narrows_by_state_missed_and_next_due(office, build, invoice):
    with on_day(in_days(-2)):
        late = accepted(invoice, rhythm=PlanRhythm.WEEKLY, first_on=in_days(-2))
        other = build.posted("80", customer=build.customer("Bob"), on=in_days(-3))
        soon = accepted(other, first_on=in_days(5))
    asked = offered(build.posted("70"), first_on=in_days(9))
    db.session.commit()

    def listed(query):
        page = office.get(f"/staff/payment-plans?{query}").text
        return [one.id for one in (late, soon, asked) if one.number in page]

    assert listed("") == [late.id, soon.id, asked.id]
    assert listed("state=active") == [late.id, soon.id]
    assert listed("missed=yes") == [late.id]
    assert listed("missed=no") == [soon.id, asked.id]
    assert listed(f"due_to={in_days(6)}") == [late.id, soon.id]
    assert listed("q=bob") == [soon.id]
    assert listed(f"customer_id={invoice.customer_id}") == [late.id]
    for key in ("due", "-due", "amount", "-customer", "number"):
        assert len(listed(f"sort={key}")) == 3
    build.payment(invoice.customer, "100", invoice)
    assert listed("missed=yes") == []


def test_the_list_costs_the_same_for_many_plans(office, build):
    def statements():
        db.session.commit()
        with count_statements() as sent:
            office.get("/staff/payment-plans")
        return len(sent)

    accepted(build.posted("80"))
    statements()
    few = statements()
    for _ in range(8):
        accepted(build.posted("80"))
    many = statements()
    assert many == few


def test_customer_invoice_and_receivables_say_that_there_is_a_plan(office, invoice):
    plan = accepted(invoice)
    db.session.commit()
    for path in (f"customers/{invoice.customer_id}", f"invoices/{invoice.id}"):
        assert plan.number in office.get(f"/staff/{path}").text
    for path in ("receivables", f"receivables/{invoice.customer_id}"):
        assert "on a plan" in office.get(f"/staff/{path}").text
    assert plan.number in office.get(f"/staff/invoices/{invoice.id}/interest").text
    assert office.get(f"/staff/payment-plans/{plan.id}/agreement.pdf").data[:4] == b"%PDF"


def test_a_technician_and_a_reader_change_nothing(app, build, invoice):
    plan = offered(invoice)
    db.session.commit()
    reader, technician = (staff_client(app, build, one) for one in ("Read-only", "Technician"))
    assert reader.get(f"/staff/payment-plans/{plan.id}").status_code == 200
    assert technician.get(f"/staff/payment-plans/{plan.id}").status_code == 403
    for browser in (reader, technician):
        path = f"/staff/payment-plans/{plan.id}/withdrawal"
        assert browser.post(path, data={"because": "x"}).status_code == 403
        assert browser.get(f"/staff/payment-plans/new?plan_id={plan.id}").status_code == 403


@pytest.mark.parametrize("path", [
    "new", "new?customer_id=99999999999", "new?plan_id=99999999999", "new?plan_id=x", "0", "999999",
    "999999/agreement.pdf", "999999/withdrawal",
])  # fmt: skip
def test_what_does_not_exist_is_not_found(office, path):
    assert office.get(f"/staff/payment-plans/{path}").status_code == 404


def test_a_customer_type_is_marked_as_business(office):
    office.post("/staff/labels/customer-types", data={"name": "Property manager"})
    row = customer_types()[0]
    assert not row.is_business
    data = {"name": row.name, "active": "yes", "is_business": "yes", "version": row.version}
    office.post(f"/staff/labels/customer-types/{row.id}", data=data)
    db.session.expire_all()
    assert customer_types()[0].is_business


def test_a_business_is_offered_twelve_payments(office, build):
    kind = add_customer_type("Commercial")
    kind.is_business = True
    db.session.flush()
    invoice = build.posted("1200", customer=build.customer("Firm", customer_type_id=kind.id))
    path = f"/staff/payment-plans/{invoice.customer_id}"
    data = form_of(invoice, payments="12", rhythm="biweekly")
    assert office.post(path, data=data).status_code == 303
