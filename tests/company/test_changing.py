from dataclasses import replace

import pytest

from portal.audit import trail_of
from portal.company import (
    CompanyWords,
    add_business_unit,
    business_units,
    change_business_unit,
    change_company,
    company,
    format_money,
    speak_in,
)
from portal.customers import add_customer_type, change_customer_type, customer_types
from portal.db import db
from portal.kernel.errors import Conflict, InvalidFields
from portal.kernel.money import Money
from portal.ledger import account_for
from portal.models import AccountRole, PaymentMethod
from portal.payments import (
    PaymentTypeWords,
    add_payment_type,
    change_payment_type,
    get_payment_type,
    payment_types,
)
from tests.conftest import count_statements

ACME = CompanyWords(name="Acme Home Services")


def test_the_company_is_read_once_however_often_it_is_asked(app):
    db.session.commit()
    with count_statements() as sent:
        for _ in range(5):
            assert company().name == "Acme Home Services"
    assert sum("companies" in one for one in sent) == 1


def test_the_company_is_read_anew_after_a_rollback(app):
    company().name = "Half typed"
    db.session.rollback()
    assert company().name == "Acme Home Services"


def test_a_change_of_the_company_is_told(app):
    change_company(replace(ACME, phone=" 555-0100 "), version=company().version)
    db.session.flush()

    assert company().phone == "555-0100"
    assert trail_of(company())[0].changes == {"phone": ["", "555-0100"]}
    with pytest.raises(Conflict):
        change_company(ACME, version=1)


def test_every_wrong_word_about_the_company_is_named(app):
    with pytest.raises(InvalidFields) as refusal:
        change_company(CompanyWords(name="", email="x", zone="Mars/Olympus"), version=1)
    assert set(refusal.value.errors) == {"name", "email", "zone"}


@pytest.mark.parametrize(
    ("add", "change", "rows"),
    [
        (add_business_unit, change_business_unit, business_units),
        (add_customer_type, change_customer_type, customer_types),
    ],
)
def test_labels_are_unique_renamed_and_retired(app, add, change, rows):
    first, _second = add(" HVAC "), add("Plumbing")
    db.session.flush()

    for name in ("", "hvac"):
        with pytest.raises(InvalidFields):
            add(name)
    with pytest.raises(InvalidFields):
        change(first, version=1, name="plumbing", active=True)
    change(first, version=1, name="HVAC", active=True)  # nothing changed, nothing told
    assert [one.verb for one in trail_of(first)] == ["added"]

    change(first, version=1, name="Heating", active=False)
    db.session.flush()
    assert [one.name for one in rows()] == ["Plumbing"]
    assert [one.name for one in rows(all_of_them=True)] == ["Heating", "Plumbing"]
    with pytest.raises(Conflict):
        change(first, version=1, name="Cooling", active=True)


def test_a_retired_payment_type_is_not_offered_but_kept(app):
    check = payment_types()[0]
    words = PaymentTypeWords(check.name, check.method, check.account_id, active=False)

    change_payment_type(check, words, version=check.version)
    db.session.flush()

    assert check not in payment_types()
    assert check in payment_types(all_of_them=True)
    assert get_payment_type(check.id) is check


@pytest.mark.parametrize("role", [AccountRole.REVENUE, AccountRole.CUSTOMER_DEPOSITS, None])
def test_money_lands_on_an_asset_account(app, role):
    account = account_for(role).id if role else None
    with pytest.raises(InvalidFields) as refusal:
        add_payment_type(PaymentTypeWords("Money order", PaymentMethod.OTHER, account))
    assert set(refusal.value.errors) == {"account_id"}


def test_sentences_say_amounts_in_the_companys_currency(app):
    assert str(Money.of("-1234.50")) == "-$1,234.50"
    company().currency = "EUR"
    assert f"{Money.of('1234.50')} were received" == "€1,234.50 were received"
    assert str(Money.of("-5")) == "-€5.00"
    db.session.commit()
    db.session.expire_all()
    assert company().currency == "EUR"
    assert str(Money.of(5)) == format_money(Money.of(5), "en", "EUR")
    company().currency = "CHF"
    db.session.rollback()
    assert company().currency == "EUR"
    assert str(Money.of(5)) == "€5.00"


def test_the_next_reader_of_the_company_says_amounts_as_it_does(app):
    speak_in("GBP")
    db.session.rollback()
    db.session.expire_all()
    assert company().currency == "USD"
    assert str(Money.of(5)) == "$5.00"
