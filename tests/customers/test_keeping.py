from dataclasses import replace
from datetime import date

import pytest

from portal.audit import trail_of
from portal.customers import CustomerWords, add_customer, change_customer, open_balance
from portal.db import db
from portal.kernel.errors import Conflict, InvalidFields, NeedsConfirmation
from portal.kernel.money import Money
from portal.models import Delivery

ADA = CustomerWords(name="Ada Lovelace", email="ada@example.org")


def added(words=ADA, **details):
    customer = add_customer(words, **details)
    db.session.flush()
    return customer


def save(customer, words, version=None, **details):
    change_customer(customer, words, version=version or customer.version, **details)
    db.session.flush()


def tags(customer):
    return [one.tag for one in customer.tags]


def test_an_email_is_kept_in_one_form_and_a_phone_as_typed(build):
    customer = added(replace(ADA, name=" Ada ", email=" Ada@Example.ORG ", phone="(555) 010-12 34"))

    assert (customer.name, customer.email) == ("Ada", "ada@example.org")
    assert customer.phone == "(555) 010-12 34"


@pytest.mark.parametrize(
    "email",
    ["ada", "ada@", "ada@example", "a b@example.org", "ada@example.org, bob@example.org",
     "<ada@example.org>", "ada@example.org\nbcc: bob@example.org", "a" * 250 + "@x.org"],
)  # fmt: skip
def test_an_address_that_would_bounce_is_refused(build, email):
    with pytest.raises(InvalidFields, match="does not look like an email"):
        added(replace(ADA, email=email))


def test_every_wrong_field_is_named_at_once(build):
    with pytest.raises(InvalidFields) as refusal:
        added(CustomerWords(name=" ", email="ada", tax_exempt=True))

    assert set(refusal.value.errors) == {"name", "email", "exemption_certificate"}


def test_a_change_is_told_with_old_and_new(build):
    customer = added()

    save(customer, replace(ADA, city="Springfield", delivery=Delivery.MAIL))

    newest = trail_of(customer)[0]
    assert newest.sentence == "Ada Lovelace was changed."
    assert newest.changes == {"city": ["", "Springfield"], "delivery": ["email", "mail"]}


def test_saving_without_a_change_tells_nothing(build):
    customer = added()

    save(customer, ADA)

    assert [one.verb for one in trail_of(customer)] == ["added"]


def test_tags_are_trimmed_kept_once_and_replaced(build):
    customer = added(tags=[" VIP ", "", "VIP", "net"])
    assert tags(customer) == ["VIP", "net"]

    save(customer, ADA, tags=["net", "slow"])
    db.session.expire(customer)
    assert tags(customer) == ["net", "slow"]

    save(customer, ADA)  # not mentioned, so not touched
    assert tags(customer) == ["net", "slow"]


def test_a_save_over_somebody_elses_is_refused(build):
    customer = added()
    seen = customer.version
    save(customer, replace(ADA, city="Springfield"))

    with pytest.raises(Conflict, match="Somebody else saved"):
        save(customer, replace(ADA, city="Shelbyville"), version=seen)

    assert customer.city == "Springfield"


def test_a_change_of_tags_alone_is_a_change_too(build):
    customer = added(tags=["VIP"])
    seen = customer.version
    save(customer, ADA, tags=["VIP", "net"])

    with pytest.raises(Conflict):
        save(customer, ADA, version=seen, tags=["slow"])


def test_deactivating_one_who_owes_asks_first(build):
    invoice = build.posted("100")
    customer = invoice.customer
    words = CustomerWords(name=customer.name, active=False)

    with pytest.raises(NeedsConfirmation, match=r"still owes \$100.00") as question:
        save(customer, words)
    assert customer.active

    save(customer, words, confirmed=[question.value.code])
    assert not customer.active

    save(customer, replace(words, active=True))
    assert customer.active


def test_one_who_owes_nothing_is_deactivated_without_asking(build):
    customer = added()
    save(customer, replace(ADA, active=False))
    assert not customer.active


def test_the_open_balance_counts_what_is_not_final_yet(build):
    customer = build.customer()
    build.posted("100", customer=customer)
    build.invoice("20", customer=customer)

    assert open_balance(customer) == Money.of(120)


@pytest.mark.parametrize(
    ("exempt", "expires", "today"),
    [
        (True, None, True),
        (True, date(2026, 3, 2), True),  # the last day still counts
        (True, date(2026, 3, 1), False),
        (False, None, False),
    ],
)
def test_an_exemption_lasts_to_its_certificates_last_day(build, exempt, expires, today):
    customer = added(
        replace(ADA, tax_exempt=exempt, exemption_certificate="X-1", exemption_expires_on=expires)
    )

    assert customer.is_tax_exempt(build.today) is today
