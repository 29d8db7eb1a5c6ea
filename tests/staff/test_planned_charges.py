"""The office's screens of autopay, planned charges and bulk charge."""

import re
from datetime import date
from io import BytesIO

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from portal.db import db
from portal.kernel.money import ZERO, Money
from portal.models import ChargeRun, ChargeState
from portal.payment_collection import start_charge_run
from portal.tasks import run_waiting
from tests.conftest import count_statements, staff_client
from tests.customer.test_autopay import terms_of
from tests.payment_collection.planned import (
    after,
    autopay_row,
    balance_of,
    charges,
    gateway_charges,
    payments,
    with_autopay,
    work,
)
from tests.payment_collection.test_bulk import owing
from tests.payment_plans.plans import look_on
from tests.payment_plans.test_charges import automatic


def failed_charge(build, ada):
    with_autopay(build, ada, "declined-card")
    invoice = build.posted("80", customer=ada, term="Net 15")
    work()
    for day in (12, 15):
        with after(day):
            work()
    return invoice


@pytest.fixture
def ada(build):
    return build.customer("Ada", email="ada@example.org")


def test_the_office_turns_autopay_on_by_what_it_heard(office, build, ada):
    build.saved_method(ada)
    address = f"/staff/customers/{ada.id}/autopay"
    page = office.post(f"{address}/terms", data={"method_id": "", "moment": "due_date", "most": ""})
    assert "I authorize" in page.text
    typed = terms_of(page.text)
    nobody = office.post(address, data={**typed, "given_by": " "})
    assert nobody.status_code == 422
    assert "Say who agreed" in nobody.text

    done = office.post(address, data={**typed, "given_by": "Ada by phone"})

    assert done.status_code == 303
    consent = autopay_row(ada).consent
    assert consent.given_by.startswith("Ada by phone; written down by Administrator")
    assert (consent.address, consent.agent) == ("", "")
    assert "Ada by phone" in office.get(address).text
    assert "On since" in office.get(f"/staff/customers/{ada.id}").text


def test_the_office_sees_whether_open_invoices_are_charged(office, build, ada):
    build.posted("80", customer=ada, on=date(2026, 2, 1), term="Net 15")
    with_autopay(build, ada)
    address, box = f"/staff/customers/{ada.id}/autopay/terms", r'<input[^>]*name="with_open"[^>]*>'
    assert "checked" not in re.search(box, office.get(address).text)[0]

    autopay_row(ada).starts_on = date(2026, 2, 1)
    db.session.commit()

    assert "checked" in re.search(box, office.get(address).text)[0]


def test_the_office_reads_changed_words_out_again(office, build, ada):
    build.saved_method(ada)
    address = f"/staff/customers/{ada.id}/autopay"
    page = office.post(f"{address}/terms", data={"moment": "due_date", "most": "5"})
    typed = terms_of(page.text) | {"most": "50", "given_by": "Ada by phone"}
    refused = office.post(address, data=typed)
    assert refused.status_code == 422
    assert "never more than $50.00 at once" in refused.text
    assert 'value="Ada by phone"' in refused.text
    below_zero = office.post(address, data=typed | {"most": "-1"})
    assert f'action="{address}/terms"' in below_zero.text

    agreed = office.post(address, data=typed | terms_of(refused.text))

    assert agreed.status_code == 303
    assert autopay_row(ada).most == Money.of(50)


def test_the_office_turns_it_off_with_a_reason(office, build, ada):
    with_autopay(build, ada)
    address = f"/staff/customers/{ada.id}/autopay/off"
    assert office.post(address, data={"because": " "}).status_code == 422
    office.post(address, data={"because": "Ada called."})

    assert autopay_row(ada).stopped_because == "Ada called."


def test_a_failed_charge_is_on_the_first_page_and_in_its_list(app, build, ada):
    invoice = failed_charge(build, ada)
    with after(15):
        office = staff_client(app, build, "Administrator")
        assert "A charge of a saved method failed" in office.get("/staff/").text
        rows = office.get("/staff/planned-charges?state=needs_somebody").text
        assert "The card was declined." in rows
        assert "Try today" in rows
        page = office.get(f"/staff/invoices/{invoice.id}").text
        assert "Autopay could not charge it (try 1)" in page


def test_it_is_tried_today_at_a_press(app, build, ada):
    invoice = failed_charge(build, ada)
    charge = charges(invoice)[0]
    with after(16):
        office = staff_client(app, build, "Administrator")
        address, typed = f"/staff/planned-charges/{charge.id}/again", {"version": charge.version}
        office.post(address, data=typed)
        run_waiting()
        assert "Somebody else saved" in office.post(address, data=typed).text

    assert charges(invoice)[0].tries == 2


def test_it_is_cancelled_at_a_press(office, build, ada):
    invoice = failed_charge(build, ada)
    charge = charges(invoice)[0]
    office.post(
        f"/staff/planned-charges/{charge.id}/cancellation", data={"version": charge.version}
    )

    assert charges(invoice)[0].state is ChargeState.CANCELLED
    assert "Cancelled by Administrator" in charges(invoice)[0].outcome


@pytest.mark.parametrize("path", ["again", "cancellation"])
def test_a_press_leads_back_to_where_it_was_made(office, build, ada, path):
    charge = charges(failed_charge(build, ada))[0]
    address = f"/staff/planned-charges/{charge.id}/{path}"
    listed = "/staff/planned-charges?state=needs_somebody"
    answer = office.post(
        address, data={"version": charge.version}, headers={"Referer": f"http://localhost{listed}"}
    )

    assert (answer.status_code, answer.location) == (303, listed)


def test_a_press_from_nowhere_leads_to_the_customers_autopay(office, build, ada):
    charge = charges(failed_charge(build, ada))[0]
    assert press_cancel(office, charge).location == f"/staff/customers/{ada.id}/autopay"


def test_a_row_of_a_bulk_charge_is_stopped_through_its_run(office, build):
    start_charge_run([owing(build).customer_id], seal="1-8000", by=None)
    db.session.commit()
    (charge,) = charges()
    answer = press_cancel(office, charge)

    assert f"It belongs to bulk charge {charge.run_id}: stop that one instead." in answer.text
    assert charges()[0].state is ChargeState.WAITING


def test_cancelling_the_charge_of_a_plan_does_not_break_the_plan_silently(office, build):
    weekly_by_card = automatic(build, "100")
    look_on(weekly_by_card.instalments[0].due_on)
    (charge,) = charges()
    answer = press_cancel(office, charge)

    assert "end or re-age the plan instead" in answer.text
    assert charges()[0].state is ChargeState.WAITING


def press_cancel(office, charge):
    return office.post(
        f"/staff/planned-charges/{charge.id}/cancellation", data={"version": charge.version}
    )


def test_only_who_may_charge_has_the_buttons(app, build, ada):
    invoice = failed_charge(build, ada)
    charge = charges(invoice)[0]
    reader = staff_client(app, build, "Read-only")

    assert "Try today" not in reader.get("/staff/planned-charges").text
    for path in ("again", "cancellation"):
        assert reader.post(f"/staff/planned-charges/{charge.id}/{path}").status_code == 403
    assert reader.post(f"/staff/customers/{ada.id}/autopay/off").status_code == 403
    office = staff_client(app, build, "Office")
    assert office.get("/staff/bulk-charges/new").status_code == 403
    assert "Charge the saved methods" not in office.get("/staff/receivables").text


def test_the_list_asks_the_same_number_of_questions_for_many(office, build, ada):
    counts = []
    for n in range(2):
        for _ in range(1 + 3 * n):
            build.posted("8", customer=build.customer(f"C{n}"), term="Net 15")
        with_autopay(build, ada) if not n else None
        for _ in range(2):
            build.posted("9", customer=ada, term="Net 15")
        work()
        office.get("/staff/planned-charges")
        with count_statements() as statements:
            office.get("/staff/planned-charges")
        counts.append(len(statements))
    assert counts[0] == counts[1]


def question(office, *invoices):
    ids = [one.customer_id for one in invoices]
    page = office.get("/staff/bulk-charges/new", query_string={"customer": ids})
    return page, dict(re.findall(r'name="(seal|once)"[^>]* value="([^"]+)"', page.text)), ids


def test_a_bulk_charge_is_previewed_asked_and_carried_out(office, build):
    ada, bob = owing(build), owing(build, "20", "Bob")
    cyd = build.posted("9", customer=build.customer("Cyd"))
    page, typed, ids = question(office, ada, bob, cyd)
    assert "Charge the saved methods of 2 customers?" in page.text
    assert "Charge $100.00" in page.text
    assert "No payment method is on file." in page.text
    assert gateway_charges() == []

    address = "/staff/bulk-charges"
    answer = office.post(address, query_string={"customer": ids}, data=typed)
    again = office.post(address, query_string={"customer": ids}, data=typed)
    run_waiting()

    assert (again.status_code, again.location) == (303, answer.location)
    assert len(db.session.scalars(sa.select(ChargeRun)).all()) == 1
    assert (balance_of(ada), balance_of(bob), balance_of(cyd)) == (ZERO, ZERO, Money.of(9))
    shown = office.get(answer.location).text
    assert "2 of 2" in shown
    assert "$100.00 were charged" in shown
    assert "Cyd" in shown
    assert "$100.00" in office.get(address).text
    with office.get(f"{answer.location}/outcomes.xlsx") as book:
        assert len(list(load_workbook(BytesIO(book.data))["Charges"].rows)) == 3


def test_other_amounts_than_were_shown_are_shown_again(office, build):
    ada = owing(build)
    _page, typed, ids = question(office, ada)
    build.posted("1", customer=ada.customer)
    db.session.commit()

    answer = office.post("/staff/bulk-charges", query_string={"customer": ids}, data=typed)

    assert answer.status_code == 422
    assert "has changed since it was shown" in answer.text
    assert "Charge $81.00" in answer.text
    assert db.session.scalars(sa.select(ChargeRun)).all() == []


def test_all_that_match_the_filter_are_charged(office, build):
    ada, bob = owing(build, name="Ada Northrop"), owing(build, name="Bob")
    page = office.get("/staff/receivables?q=northrop").text
    assert "Charge the saved method of the one that matches" in page
    link = re.search(r'href="(/staff/bulk-charges/new\?[^"]*)"', page)[1].replace("&amp;", "&")
    typed = dict(re.findall(r'name="(seal|once)"[^>]* value="([^"]+)"', office.get(link).text))

    office.post(link.replace("/new", ""), data=typed)
    run_waiting()

    assert (balance_of(ada), balance_of(bob)) == (ZERO, Money.of(80))
    assert len(payments()) == 1


def test_nobody_to_charge_says_why(office, build):
    bare = build.posted("80", customer=build.customer("Bare"))
    db.session.commit()
    page, _typed, ids = question(office, bare)
    assert "Nobody can be charged" in page.text
    assert "No payment method is on file." in page.text
    answer = office.post(
        "/staff/bulk-charges", query_string={"customer": ids}, data={"seal": "1-1"}
    )
    assert answer.status_code == 422


def test_a_run_is_stopped_at_a_press(office, build):
    ada = owing(build)
    _page, typed, ids = question(office, ada)
    answer = office.post("/staff/bulk-charges", query_string={"customer": ids}, data=typed)
    office.post(f"{answer.location}/stop")
    run_waiting()

    assert gateway_charges() == []
    assert "Not charged" in office.get(answer.location).text
    assert "over already" in office.post(f"{answer.location}/stop").text


def test_a_missing_run_is_not_found(office, build):
    assert office.get("/staff/bulk-charges/999999").status_code == 404
    assert office.post("/staff/planned-charges/999999/again").status_code == 404
    assert office.get("/staff/customers/999999/autopay").status_code == 404
