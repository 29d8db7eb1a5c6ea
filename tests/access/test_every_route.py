"""Every address against every role: who may open what is said once, by the view."""

import pytest
from werkzeug.routing import Rule

from portal.access import ROLES, Ability, RoleWords, add_role
from portal.db import db
from portal.web.guards import unmarked_views
from tests.conftest import payer_client, staff_client

OWN_JOBS_ONLY = ("Technician", "/staff/jobs/new")  # the screen itself refuses
CHANGES = ("POST", "PUT", "PATCH", "DELETE")


def addresses(app, start, methods):
    """(address, method, needs) of every rule below `start`, with 1 for each variable."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(start) and rule.endpoint != "static":
            for method in sorted(rule.methods & set(methods)):
                yield filled(app, rule), method, app.view_functions[rule.endpoint].needs


def filled(app, rule: Rule) -> str:
    values = {name: 1 if rule._converters[name].__class__.__name__ == "IdConverter" else "x"
              for name in rule.arguments}  # fmt: skip
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, values)


def test_every_view_says_whom_it_is_for(app):
    assert unmarked_views(app) == []


def test_a_view_without_a_mark_keeps_the_app_from_starting(app):
    from portal.web import refuse_unmarked_views

    app.view_functions["forgotten"] = lambda: "open to all by accident"
    try:
        with pytest.raises(RuntimeError, match="forgotten"):
            refuse_unmarked_views(app)
    finally:
        del app.view_functions["forgotten"]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_refused_exactly_what_it_may_not_do(app, build, role):
    browser = staff_client(app, build, role)
    wrong = []
    for address, method, needs in addresses(app, "/staff", ("GET", *CHANGES)):
        if needs == "nobody" or (method != "GET" and needs in ROLES[role]):
            continue
        if address == "/staff/jobs/new" and role == "Technician":
            continue  # may edit own jobs, but choosing a customer means seeing them all
        with browser.open(address, method=method) as reply:  # a workbook is an open file
            status = reply.status_code
        if (role, address) == OWN_JOBS_ONLY:
            assert status == 403
        elif (status == 403) != (needs not in ROLES[role]) or status >= 500:
            wrong.append((method, address, needs, status))
    assert wrong == []


def test_a_role_with_nothing_is_refused_everywhere(app, build):
    add_role(RoleWords("Nothing at all"))
    db.session.flush()
    browser = staff_client(app, build, "Nothing at all")

    wrong = [
        (method, address, status)
        for address, method, needs in addresses(app, "/staff", ("GET", *CHANGES))
        if needs != "nobody"
        and (status := browser.open(address, method=method).status_code) not in (403, 404)
    ]

    assert wrong == []


def test_a_role_of_the_office_s_own_opens_what_was_ticked_and_no_more(app, build):
    ticked = {Ability.SEE_HOME, Ability.VIEW_CUSTOMERS, Ability.SELL_AT_COUNTER}
    add_role(RoleWords("Cashier", ticked))
    db.session.flush()
    browser = staff_client(app, build, "Cashier")

    wrong = [
        (address, needs, status)
        for address, _, needs in addresses(app, "/staff", ("GET",))
        if needs != "nobody"
        and ((status := browser.get(address).status_code) == 403) != (needs not in ticked)
    ]

    assert wrong == []


def test_nobody_gets_past_the_sign_in(app, client):
    wrong = []
    for address, method, needs in addresses(app, "/", ("GET", *CHANGES)):
        if needs == "nobody":
            continue
        reply = client.open(address, method=method)
        face = "/my/sign-in" if needs == "payer" else "/staff/sign-in"
        if reply.status_code != 303 or not reply.location.startswith(face):
            wrong.append((method, address, reply.status_code, reply.location))
    assert wrong == []


def test_a_customer_is_nobody_in_the_office(app, build):
    build.customer(email="ada@example.org")
    browser = payer_client(app, "ada@example.org")

    wrong = [
        address
        for address, method, needs in addresses(app, "/staff", ("GET", *CHANGES))
        if needs != "nobody" and browser.open(address, method=method).status_code != 303
    ]

    assert wrong == []


def test_a_sign_in_cookie_of_one_face_is_worthless_in_the_other(app, build):
    build.customer(email="ada@example.org")
    payer = payer_client(app, "ada@example.org").get_cookie("fieldledger_customer").value
    staff = staff_client(app, build, "Administrator").get_cookie("fieldledger_staff").value
    browser = app.test_client()
    browser.set_cookie("fieldledger_staff", payer)
    browser.set_cookie("fieldledger_customer", staff)

    assert browser.get("/staff/invoices").status_code == 303
    assert browser.get("/my/").status_code in (303, 308)
    assert browser.get("/my/sign-in/browsers").location.startswith("/my/sign-in")


def test_htmx_is_sent_to_the_sign_in_as_a_page(client):
    reply = client.get("/staff/invoices", headers={"HX-Request": "true"})

    assert reply.status_code == 204
    assert reply.headers["HX-Redirect"].startswith("/staff/sign-in?next=")


def test_a_person_without_the_ability_does_not_see_the_way_there(app, build):
    page = staff_client(app, build, "Collector").get("/staff/invoices").text

    assert 'href="/staff/receivables"' in page
    assert 'href="/staff/people"' not in page
    assert 'href="/staff/settings"' not in page
