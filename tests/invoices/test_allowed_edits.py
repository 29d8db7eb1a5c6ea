"""Every edit × every export status × role × period, against a table written out by hand.

The table below is the one of servicetitan-rules §2.1 as this house decided it; it shares nothing
with the one in the code, so either can be wrong and be found out.
"""

from datetime import date

import pytest

from portal.access import Ability
from portal.db import db
from portal.invoices import (
    Edit,
    InvoiceFacts,
    LineWords,
    add_line,
    cancel_invoice,
    change_invoice,
    change_line,
    change_summary,
    get_invoice,
    place_invoice,
    refresh_tax,
    remove_line,
    require_allowed,
    unpost_invoice,
    why_not,
    write_off,
)
from portal.kernel.errors import DomainError, InvalidTransition, PeriodClosed
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import AccountingPeriod, InvoiceKind, InvoiceState, PeriodState
from tests.conftest import staff_client

# edit: ability, minds a closed month, then pending, posted, exported, cancelled
EXPECTED = """
lines          edit invoices      closed  yes  no   no   no
facts          edit invoices      closed  yes  no   no   no
tax            edit invoices      closed  yes  no   no   no
summary        edit invoices      -       yes  yes  yes  yes
location       edit invoices      closed  yes  yes  no   no
business_unit  edit invoices      closed  yes  yes  no   no
bill_to        edit invoices      closed  no   no   no   no
review         edit invoices      -       yes  no   no   no
assign         assign invoices    -       yes  no   no   no
approve        approve invoices   -       yes  no   no   no
cancel         edit invoices      closed  yes  no   no   no
post           post invoices      closed  yes  no   no   no
unpost         unpost invoices    closed  no   yes  no   no
pay            take payments      -       yes  yes  yes  no
unapply        unapply payments   -       yes  yes  perm no
adjust         correct invoices   -       no   yes  yes  no
credit         correct invoices   -       no   yes  yes  no
write_off      write off          -       no   yes  yes  no
"""
STATES = ("pending", "posted", "exported", "cancelled")


def rows():
    for line in EXPECTED.strip().splitlines():
        edit, *words = line.split()
        *ability, closed = words[:-4]
        for state, answer in zip(STATES, words[-4:], strict=True):
            yield edit, " ".join(ability), closed == "closed", state, answer


ROWS = list(rows())
IDS = [f"{edit}-{state}" for edit, _ability, _closed, state, _answer in ROWS]


def test_the_table_knows_every_edit_and_no_other():
    assert {edit for edit, *_rest in ROWS} == set(Edit)


def in_state(build, state):
    invoice = build.invoice("80") if state in ("pending", "cancelled") else build.posted("80")
    invoice.state = InvoiceState(state)
    return invoice


def close(day):
    db.session.add(AccountingPeriod(starts_on=day.replace(day=1), state=PeriodState.CLOSED))
    db.session.flush()


@pytest.mark.parametrize(("edit", "ability", "bound", "state", "answer"), ROWS, ids=IDS)
def test_who_may_do_what_when(build, edit, ability, bound, state, answer):
    invoice, edit = in_state(build, state), Edit(edit)
    without = set(Ability) - {ability}
    lacking_more = set(Ability) - {"unapply exported payments"}

    def reason(abilities=frozenset(Ability)):
        return why_not(edit, invoice, abilities=abilities)

    assert (reason() is None) == (answer in ("yes", "perm"))
    assert (reason(lacking_more) is None) == (answer == "yes")
    assert f"allow to {ability}" in reason(without)
    if answer == "no":
        assert "period" not in reason()
    close(build.today)

    assert (reason() is None) == (answer in ("yes", "perm") and not bound)
    if bound:
        assert reason() == (
            "The accounting period March 2026 is closed. The next open day is Apr 1, 2026."
        )
    assert f"allow to {ability}" in reason(without)  # permission comes first


@pytest.mark.parametrize(("edit", "ability", "bound", "state", "answer"), ROWS, ids=IDS)
def test_services_refuse_what_the_table_refuses(build, edit, ability, bound, state, answer):
    invoice, edit = in_state(build, state), Edit(edit)

    def raised():
        try:
            require_allowed(edit, invoice)
        except DomainError as error:
            return type(error)
        return None

    assert raised() is (InvalidTransition if answer == "no" else None)
    close(build.today)
    assert raised() is (PeriodClosed if bound else InvalidTransition if answer == "no" else None)


def facts_of(invoice, **changes):
    known = {
        "reference_number": invoice.reference_number, "invoice_date": invoice.invoice_date,
        "term": invoice.term, "location": invoice.location, "tax_zone": invoice.tax_zone,
        "business_unit_id": None, "summary": "", "purchase_order": "",
    }  # fmt: skip
    return InvoiceFacts(**(known | changes))


WORDS = LineWords("Pipe", Quantity.of(1), UnitPrice.of(9))
SERVICES = {
    "add a line": lambda one: add_line(one, WORDS),
    "change a line": lambda one: change_line(one, one.lines[0], WORDS, version=one.version),
    "remove a line": lambda one: remove_line(one, one.lines[0]),
    "facts": lambda one: change_invoice(one, facts_of(one), version=one.version),
    "tax": refresh_tax,
    "cancel": lambda one: cancel_invoice(one, because="twice"),
}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("state", ["posted", "exported", "cancelled"])
def test_a_final_invoice_is_changed_by_no_service(build, service, state):
    invoice = in_state(build, state)
    db.session.flush()

    with pytest.raises(InvalidTransition, match=r"posted|exported|cancelled"):
        SERVICES[service](invoice)


@pytest.mark.parametrize("service", SERVICES)
def test_in_a_closed_month_the_period_is_the_first_reason(build, service):
    invoice = in_state(build, "posted")
    close(build.today)

    with pytest.raises(PeriodClosed, match="March 2026 is closed"):
        SERVICES[service](invoice)


@pytest.mark.parametrize("state", STATES)
def test_a_summary_may_be_mended_always(build, state):
    invoice = in_state(build, state)
    close(build.today)

    change_summary(invoice, "Mended", version=invoice.version)

    assert invoice.summary == "Mended"


def test_location_and_unit_of_a_posted_invoice_change_for_reports_only(build):
    zone = build.zone("10")
    first = build.location(zone=zone)
    other = build.location(first.customer, zone=build.zone("20"))
    invoice = build.posted("100", location=first)
    printed, total = invoice.service_at, invoice.total

    place_invoice(invoice, location=other, business_unit=None, version=invoice.version)
    db.session.flush()

    fresh = get_invoice(invoice.id)
    assert fresh.location is other
    assert (fresh.service_at, fresh.total, fresh.tax_zone) == (printed, total, zone)


def test_an_exported_invoice_keeps_its_place(build):
    invoice = in_state(build, "exported")
    db.session.flush()
    with pytest.raises(InvalidTransition, match="adjustment or a credit note"):
        place_invoice(invoice, location=None, business_unit=None, version=invoice.version)


def test_another_customers_location_is_refused(build):
    invoice, foreign = build.posted("5"), build.location()

    with pytest.raises(DomainError, match="another customer"):
        place_invoice(invoice, location=foreign, business_unit=None, version=invoice.version)


def test_a_draft_may_leave_a_closed_month_for_an_open_day(build):
    invoice = build.invoice("80", on=date(2026, 2, 10))
    close(date(2026, 2, 1))

    everything = frozenset(Ability)
    assert "February 2026" in why_not(Edit.FACTS, invoice, abilities=everything)
    assert why_not(Edit.FACTS, invoice, abilities=everything, moves_to=build.today) is None
    change_invoice(invoice, facts_of(invoice, invoice_date=build.today), version=invoice.version)


def test_money_on_it_is_the_reason_after_state_and_period(build):
    invoice = build.invoice("80")
    build.payment(invoice.customer, "30", invoice)

    assert "Take the payment back first" in why_not(Edit.CANCEL, invoice, abilities=set(Ability))


# What a role sees over HTTP: every real route of the table.
ROUTES = {
    "lines": ("/lines", {"item": "Pipe", "quantity": "1", "unit_price": "9"}),
    "facts": ("/facts", {"reference_number": "R-9", "invoice_date": "2026-03-02"}),
    "tax": ("/tax", {}),
    "summary": ("/summary", {"summary": "Mended"}),
    "location": ("/place", {}),
    "review": ("/review/reviewed", {}),
    "assign": ("/assignment", {"assignee_id": ""}),
    "cancel": ("/cancellation", {"because": "Typed twice"}),
}
HTTP = [
    (route, state, answer)
    for route in ROUTES
    for edit, _ability, _bound, state, answer in ROWS
    if edit == route
]


@pytest.mark.parametrize(("route", "state", "answer"), HTTP, ids=[f"{a}-{b}" for a, b, _ in HTTP])
def test_the_screens_do_what_the_table_says(app, build, office, route, state, answer):
    invoice = build.invoice("80") if state in ("pending", "cancelled") else build.posted("80")
    if state == "cancelled":
        cancel_invoice(invoice, because="Typed twice")
    if state == "exported":
        db.session.flush()
        invoice.state = InvoiceState.EXPORTED
    db.session.commit()
    path, typed = ROUTES[route]
    address, known = f"/staff/invoices/{invoice.id}{path}", invoice.version
    typed = typed | {"version": known, "term_id": invoice.term_id}

    reader = staff_client(app, build, "Read-only")
    assert reader.post(address, data=typed).status_code == 403
    assert get_invoice(invoice.id).version == known
    reply = office.post(address, data=typed, headers={"HX-Request": "true"})

    if answer == "yes" and route != "assign":
        assert reply.status_code < 400
    else:  # nobody had it, so taking it from nobody is refused too
        assert reply.status_code in (409, 422)
        assert get_invoice(invoice.id).version == known


@pytest.mark.parametrize("kind", [InvoiceKind.WRITE_OFF, InvoiceKind.REFUND])
@pytest.mark.parametrize("edit", [Edit.LINES, Edit.FACTS, Edit.TAX])
def test_an_unposted_write_off_or_refund_is_not_edited_but_made_anew(build, kind, edit):
    document = build.invoice("80")
    document.kind = kind
    db.session.flush()

    with pytest.raises(InvalidTransition, match="is not edited: cancel it and"):
        require_allowed(edit, document)

    assert "cancel it and" in why_not(edit, document, abilities=set(Ability))
    require_allowed(Edit.CANCEL, document)


def test_an_unposted_write_off_keeps_its_line_on_bad_debt(build):
    original = build.posted("300")
    document = write_off(original, because="Gone out of business")
    unpost_invoice(document, because="Too early")
    words = LineWords("hm", Quantity.of(1), UnitPrice.of("300"))

    with pytest.raises(InvalidTransition):
        change_line(document, document.lines[0], words, version=document.version)
