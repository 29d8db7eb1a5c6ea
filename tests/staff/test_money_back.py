"""Refunds, returns and corrections of payments as the office does them."""

import re

import pytest
import sqlalchemy as sa

from portal.access import Ability
from portal.db import db
from portal.invoices import finance, get_invoice, write_off
from portal.kernel.money import ZERO, Money
from portal.models import InvoiceState, Payment, PaymentState, RefundEffect, RefundReason, Role
from portal.payments import (
    RefundWords,
    ReturnReason,
    credit_given_by,
    get_payment,
    payment_types,
    post_payments,
    refund,
    refund_reasons,
    refund_types,
    return_payment,
    sources_of_invoice,
    sources_of_payment,
)
from tests.conftest import payer_client, staff_client

KEPT = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def reason(name):
    return db.session.scalars(sa.select(RefundReason).where(RefundReason.name == name)).one()


def refund_form(build, amount, why, **more):
    return {
        "how": "amount", "amount": amount, "reason_id": reason(why).id, "on": build.today,
        "type_id": refund_types()[0].id, "once": "k", **more,
    }  # fmt: skip


def source_key(page):
    return re.search(r'<option (?:selected )?value="(\d+-\d+)"', page)[1]


def press_yes(office, address, page):
    sent = {}
    for name, value in KEPT.findall(page):
        sent.setdefault(name, []).append(value)
    sent.pop("csrf_token", None)
    return office.post(address, data=sent, follow_redirects=True)


def test_credit_is_paid_out_after_it_was_said_what_happens(office, build):
    payment = build.payment(build.customer("Ada"), "100")
    number = payment.id
    address = f"/staff/refunds?payment_id={number}"
    db.session.commit()

    page = office.get(f"/staff/refunds/new?payment_id={number}").text
    form = refund_form(build, "30", "Overpaid", source=source_key(page), reference="4711")
    asked = office.post(address, data=form).text

    assert "$30.00 go back to Ada by Check on" in asked
    assert "$70.00 of it stay the customer&#39;s credit." in asked
    assert get_payment(number).unapplied == Money.of(100)
    shown = press_yes(office, address, asked)
    assert "$30.00 were given back." in shown.text
    assert get_payment(number).unapplied == Money.of(70)
    again = press_yes(office, address, asked)
    assert "already recorded" in again.text
    assert get_payment(number).unapplied == Money.of(70)
    assert "Given back" in office.get(f"/staff/payments/{number}").text
    assert "4711" in office.get(f"/staff/payments/{number}").text


def test_an_invoice_gives_money_back_with_its_revenue(office, build):
    invoice = build.posted("60", "40", location=build.location(zone=build.zone("10")))
    build.payment(invoice.customer, "110", invoice)
    number, line_id = invoice.id, invoice.lines[1].id
    address = f"/staff/refunds?invoice_id={number}"
    db.session.commit()

    page = office.get(f"/staff/refunds/new?invoice_id={number}").text
    form = refund_form(build, "", "Billing error", source=source_key(page), how="lines",
                       line_ids=line_id)  # fmt: skip
    asked = office.post(address, data=form).text
    assert "$44.00 go back" in asked
    assert "takes $40.00 of revenue and $4.00 of sales tax back" in asked
    refund_page = press_yes(office, address, asked).text

    assert invoice.number in refund_page
    assert "RF-2026-00001" in refund_page
    there = office.get(f"/staff/invoices/{number}").text
    assert "Given back" in there
    assert "Billing error" in there


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"amount": "100.01"}, "Give back between"),
        ({"amount": ""}, "Give an amount such as"),
        ({"how": "percent", "percent": ""}, "Give a percentage"),
        ({"on": "2026-03-03"}, ""),
        ({"reason_id": "999999"}, "Choose one from the list"),
        ({"reason_id": ""}, "Choose why the money goes back"),
    ],
)
def test_what_cannot_be_given_back_is_said_beside_what_was_typed(office, build, change, sentence):
    payment = build.payment(build.customer(), "100")
    db.session.commit()
    address = f"/staff/refunds?payment_id={payment.id}"
    form = refund_form(build, "30", "Overpaid", source=f"{payment.id}-0", memo="keep me") | change

    page = office.post(address, data=form)
    if page.status_code == 200:  # asked first; the day is refused when it is done
        page = press_yes(office, address, page.text)

    assert page.status_code == 422
    assert sentence in page.text
    assert "keep me" in page.text
    assert db.session.scalars(sa.select(Payment).where(Payment.amount < ZERO)).all() == []


def test_percent_of_what_was_paid_and_back_to_change_it(office, build):
    payment = build.payment(build.customer(), "80")
    db.session.commit()
    address = f"/staff/refunds?payment_id={payment.id}"
    form = refund_form(build, "", "Overpaid", source=f"{payment.id}-0", how="percent",
                       percent="12.5")  # fmt: skip

    assert "$10.00 go back" in office.post(address, data=form).text
    assert 'value="12.5"' in office.post(address, data=form | {"back": "yes"}).text


def test_a_refund_is_voided_once_asked(office, build):
    test_credit_is_paid_out_after_it_was_said_what_happens(office, build)
    given = db.session.scalars(sa.select(Payment).where(Payment.amount < ZERO)).one()
    here = f"/staff/refunds/{given.id}"

    assert "Void the refund" in office.get(f"{here}/voiding").text
    shown = office.post(f"{here}/voiding", data={"version": given.version}, follow_redirects=True)

    assert "no money was given back" in shown.text
    assert get_payment(given.refunds_id).unapplied == Money.of(100)
    assert office.get(f"/staff/payments/{given.id}").headers["Location"].endswith(here)
    assert office.get(f"/staff/refunds/{given.refunds_id}").status_code == 404


def test_online_money_is_given_back_at_the_desk_and_says_so(office, build):
    payment = build.payment(build.customer(), "80", provider="stripe", provider_ref="pi_1")
    db.session.commit()

    page = office.get(f"/staff/refunds/new?payment_id={payment.id}").text
    assert "Back to" not in page  # another gateway than the one in use
    assert "at the card processor" in office.get(f"/staff/payments/{payment.id}").text
    assert office.get(f"/staff/payments/{payment.id}/return").status_code == 422


def test_a_bounced_check_is_returned(office, build):
    invoice = build.posted("50")
    payment = build.payment(invoice.customer, "50", invoice)
    db.session.commit()
    here = f"/staff/payments/{payment.id}"

    assert invoice.number in office.get(f"{here}/return").text
    data = {"because": "bounced", "on": build.today, "note": "NSF"}
    shown = office.post(f"{here}/return", data=data, follow_redirects=True).text

    assert f"Owed again: {invoice.number}." in shown
    assert "bounced: NSF" in shown
    assert get_invoice(invoice.id).balance == Money.of(50)
    assert office.post(f"{here}/return", data=data).status_code == 422


def test_a_pending_payment_is_corrected_and_two_people_are_told(office, build):
    payment = build.payment(build.customer(), "50")
    db.session.commit()
    here = f"/staff/payments/{payment.id}/facts"
    data = {"version": payment.version, "amount": "40", "type_id": payment_types()[1].id,
            "received_on": build.today, "reference": "77", "memo": ""}  # fmt: skip

    assert 'value="50.00"' in office.get(here).text
    assert office.post(here, data=data).status_code == 303
    second = office.post(here, data=data | {"amount": "45", "memo": "mine"})

    assert second.status_code == 422
    assert "Saved now: 40.00" in second.text
    assert 'value="mine"' in second.text
    assert get_payment(payment.id).amount == Money.of(40)


def test_a_payment_that_never_came_is_deleted(office, build):
    invoice = build.posted("50")
    payment = build.payment(invoice.customer, "50", invoice)
    db.session.commit()
    here = f"/staff/payments/{payment.id}/deletion"

    assert invoice.number in office.get(here).text
    office.post(here, data={"version": payment.version})

    assert get_invoice(invoice.id).balance == Money.of(50)
    assert "entered in error" in office.get(f"/staff/payments/{payment.id}").text


def test_money_is_moved_to_another_invoice(office, build):
    first, second = build.posted("50"), None
    second = build.posted("30", customer=first.customer)
    payment = build.payment(first.customer, "50", first)
    db.session.commit()
    here = f"/staff/payments/{payment.id}/applications/{payment.applications[0].id}/move"

    assert second.number in office.get(here).text
    too_much = office.post(here, data={"invoice_id": second.id, "amount": "31", "once": "a"})
    assert "needs only $30.00" in too_much.text
    office.post(here, data={"invoice_id": second.id, "amount": "20", "once": "b"})

    assert get_invoice(first.id).balance == Money.of(20)
    assert get_invoice(second.id).balance == Money.of(10)
    assert get_payment(payment.id).unapplied == ZERO


@pytest.mark.parametrize("which", ["payment", "invoice"])
def test_exported_money_is_taken_back_by_a_right_of_its_own(app, office, build, which):
    invoice = build.posted("50")
    payment = build.payment(invoice.customer, "50", invoice)
    if which == "payment":
        payment.state = PaymentState.EXPORTED
    else:
        invoice.state = InvoiceState.EXPORTED
    db.session.commit()
    accountant = staff_client(app, build, "Accountant")
    here = f"/staff/payments/{payment.id}/applications/{payment.applications[0].id}"

    assert "a right of its own" in accountant.get(f"/staff/payments/{payment.id}").text
    assert accountant.post(f"{here}/reversal").status_code == 403
    assert get_invoice(invoice.id).balance == ZERO
    office.post(f"{here}/reversal")

    assert get_invoice(invoice.id).balance == Money.of(50)


def test_what_cannot_be_done_says_why(office, build):
    payment = build.payment(build.customer(), "50")
    post_payments([payment.id])
    db.session.commit()

    page = office.get(f"/staff/payments/{payment.id}").text

    assert "Cannot edit this payment: it is already posted." in page
    assert office.get(f"/staff/payments/{payment.id}/facts").status_code == 422


def test_the_office_may_not_give_money_back_unless_its_role_says_so(app, build):
    payment = build.payment(build.customer(), "50")
    db.session.commit()
    browser, address = staff_client(app, build, "Office"), f"/staff/payments/{payment.id}"
    assert "Pay out the credit" not in browser.get(address).text

    role = db.session.scalars(sa.select(Role).where(Role.name == "Office")).one()
    role.abilities = [*role.abilities, Ability.REFUND_PAYMENTS]
    db.session.commit()

    assert "Pay out the credit" in browser.get(address).text


def test_refund_reasons_are_the_offices_own(office, build):
    here = "/staff/refund-reasons"
    data = {"name": "Goodwill", "effect": "lowers_revenue", "active": "y"}

    assert "Customer complaint" in office.get(here).text
    assert office.post(here, data=data).status_code == 303
    assert "already has this name" in office.post(here, data=data).text
    row = refund_reasons()[-1]
    assert (row.name, row.effect, row.asks) == ("Goodwill", RefundEffect.LOWERS_REVENUE, False)
    changed = {"name": "Goodwill", "effect": "pays_out_credit", "version": row.version}
    assert office.post(f"{here}/{row.id}", data=changed).status_code == 303
    assert office.post(f"{here}/{row.id}", data=changed | {"name": "x"}).status_code == 422
    assert row.id not in [one.id for one in refund_reasons()]
    assert "Goodwill was changed" in office.get(f"{here}/{row.id}").text


def test_a_way_to_pay_may_be_no_way_to_give_back(office, build):
    kind = refund_types()[0]
    data = {"name": kind.name, "method": kind.method, "account_id": kind.account_id,
            "version": kind.version, "active": "y"}  # fmt: skip

    office.post(f"/staff/payment-types/{kind.id}", data=data)

    assert kind.id not in [one.id for one in refund_types()]


def test_lists_tell_refunds_returns_and_credit_of_documents_apart(office, build):
    customer = build.customer("Ada")
    payment = build.payment(customer, "51")
    db.session.commit()
    address = f"/staff/refunds?payment_id={payment.id}"
    form = refund_form(build, "21", "Overpaid", source=f"{payment.id}-0")
    press_yes(office, address, office.post(address, data=form).text)

    assert "-$21.00" in office.get("/staff/payments").text
    assert "-$21.00" in office.get("/staff/payments?what=refunds").text
    assert "-$21.00" not in office.get("/staff/payments?what=received").text
    assert "-$21.00" in office.get(f"/staff/customers/{customer.id}").text
    assert "Nothing fits" in office.get("/staff/payments?what=credit_of_documents").text


def test_the_credit_of_a_document_has_a_page_and_no_receipt(app, office, build):
    invoice = build.posted("50", customer=build.customer("Ada", email="ada@example.org"))
    build.payment(invoice.customer, "50", invoice)
    words = RefundWords(reason=reason("Billing error"), type=refund_types()[0],
                        amount=Money.of(20), on=build.today)  # fmt: skip
    given = refund(sources_of_invoice(invoice)[0], words)
    db.session.commit()
    number = given.refunds_id

    assert "Credit of $20.00" in office.get(f"/staff/payments/{number}").text
    assert "$20.00" in office.get("/staff/payments?what=credit_of_documents").text
    assert office.get(f"/staff/payments/{number}/receipt.pdf").status_code == 404
    mine = payer_client(app, "ada@example.org")
    assert mine.get(f"/my/payments/{number}/receipt.pdf").status_code == 404


def test_customers_see_what_was_given_back_and_what_does_not_count(app, build):
    customer = build.customer("Ada", email="ada@example.org")
    payment = build.payment(customer, "50")
    gone = build.payment(customer, "7")
    words = RefundWords(reason=reason("Overpaid"), type=refund_types()[0], amount=Money.of(20),
                        on=build.today)  # fmt: skip
    refund(sources_of_payment(payment)[0], words)
    return_payment(gone, ReturnReason.BOUNCED, on=build.today)
    db.session.commit()
    browser = payer_client(app, "ada@example.org")

    for page in (browser.get("/my/payments").text, browser.get("/my/").text):
        assert "given back to you" in page
        assert "returned, not counted" in page
        assert "-$20.00" not in page


@pytest.mark.parametrize("kind", ["write-off", "financing"])
def test_what_was_written_off_or_taken_over_is_neither_taken_back_nor_moved(office, build, kind):
    invoice, other = build.posted("100"), build.posted("50")
    bank = build.customer("Bank")
    if kind == "write-off":
        document = write_off(invoice, because="Bankrupt")
    else:
        document = finance(invoice, bank, Money.of(100), because="Contract 17").leaves
    credit = credit_given_by(document)
    row = credit.applications[0].id
    db.session.commit()
    address = f"/staff/payments/{credit.id}"

    page = office.get(address).text

    assert "no money came in" in page
    assert "Take back" not in page
    assert "Move" not in page.replace("Remove", "")
    assert office.get(f"{address}/applications/{row}/move").status_code == 422
    paid = build.payment(other.customer, "50", other)
    db.session.commit()
    assert "Take back" in office.get(f"/staff/payments/{paid.id}").text
