from dataclasses import replace

import pytest

from portal.audit import trail_of
from portal.customers import (
    ContactWords,
    LocationWords,
    add_contact,
    add_location,
    change_contact,
    change_location,
    contacts_of_email,
)
from portal.db import db
from portal.kernel.errors import Conflict, InvalidFields
from portal.models import BillingAccess

ELM = LocationWords(street="5 Elm St", city="Springfield", region="IL", postal_code="62701")
BOB = ContactWords(name="Bob", email="bob@example.org")


def contact(customer, words=BOB):
    row = add_contact(customer, words)
    db.session.flush()
    return row


def names(email):
    return [one.customer.name for one in contacts_of_email(email)]


def test_a_location_needs_a_street(build):
    with pytest.raises(InvalidFields) as refusal:
        add_location(build.customer(), replace(ELM, street=" "))
    assert set(refusal.value.errors) == {"street"}


def test_places_stand_in_the_customers_timeline(build):
    customer = build.customer()
    location = add_location(customer, ELM)
    db.session.flush()

    change_location(location, replace(ELM, street="6 Elm St"), version=location.version)

    assert [one.sentence for one in trail_of(customer)[:2]] == [
        "Location 6 Elm St, Springfield, IL 62701 was changed.",
        "Location 5 Elm St, Springfield, IL 62701 was added.",
    ]


def test_another_zone_leaves_invoices_already_made_alone(build):
    old, new = build.zone("5"), build.zone("6")
    location = build.location(zone=old)
    invoice = build.invoice("100", location=location)

    change_location(location, replace(ELM, tax_zone_id=new.id), version=location.version)
    db.session.flush()

    assert invoice.tax_zone is old
    assert build.invoice("100", location=location).tax_zone is new


@pytest.mark.parametrize("what", ["location", "contact"])
def test_an_old_version_is_refused(build, what):
    customer = build.customer()
    if what == "location":
        row, words, change = build.location(customer), ELM, change_location
    else:
        row, words, change = contact(customer), BOB, change_contact
    seen = row.version
    change(row, replace(words, name="Other"), version=seen)
    db.session.flush()

    with pytest.raises(Conflict):
        change(row, words, version=seen)


def test_a_contact_needs_a_name_and_an_address_that_works(build):
    with pytest.raises(InvalidFields) as refusal:
        add_contact(build.customer(), ContactWords(name="", email="bob"))
    assert set(refusal.value.errors) == {"name", "email"}


def test_one_address_may_see_several_customers(build):
    for name in ("Zoe's Diner", "Bob's Garage"):
        contact(build.customer(name), replace(BOB, email="BOB@example.org"))

    assert names(" Bob@Example.org ") == ["Bob's Garage", "Zoe's Diner"]


@pytest.mark.parametrize(
    "words",
    [replace(BOB, active=False), replace(BOB, billing_access=BillingAccess.NONE)],
)
def test_who_left_or_may_see_nothing_cannot_sign_in(build, words):
    contact(build.customer(), words)
    assert names("bob@example.org") == []


def test_a_deactivated_customers_people_cannot_sign_in(build):
    customer = build.customer(active=False)
    contact(customer)
    assert names("bob@example.org") == []


def test_people_without_an_address_are_nobodys_sign_in(build):
    contact(build.customer(), replace(BOB, email=""))
    assert names("") == []
