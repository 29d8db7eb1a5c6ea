"""Payers read a kind sentence for each reason; the processor's words are for the office."""

import pytest

from portal.db import db
from portal.models import PlannedCharge
from portal.payment_collection import refusal_words, told_of, told_of_attempt
from portal.payment_collection.refusals import KIND_WORDS, OTHERWISE
from tests.payment_collection.planned import after, charges, mails, with_autopay, work
from tests.payment_collection.test_both_gateways import charge, save, world
from tests.payment_collection.test_stripe import gateway as stripe_gateway
from tests.payment_collection.test_stripe import session

__all__ = ["world"]


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_every_reason_is_said_in_every_language(language):
    for code in (*KIND_WORDS, "something_new"):
        assert refusal_words(code, language)
    assert refusal_words("something_new", language) == OTHERWISE[language]
    assert refusal_words("stolen_card", language) == refusal_words("card_declined", language)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "not enough money"),
        ({"code": "card_declined", "decline_code": "lost_card"}, "was declined"),
        ({"code": "expired_card"}, "has expired"),
        ({"code": "authentication_required"}, "confirm this payment yourself"),
        ({"code": "nobody_knows"}, "was refused"),
    ],
)
def test_stripes_codes_become_kind_sentences(error, words):
    seen = session("requires_payment_method", status="complete")
    seen["payment_intent"]["last_payment_error"] = {"message": "NSF 51 at issuer", **error}
    made, _sent = stripe_gateway((200, seen))

    found = made.look_up("cs_1")

    assert found.failure == "NSF 51 at issuer"
    assert words in refusal_words(found.failure_code, "en")


@pytest.mark.parametrize(
    ("button", "words"),
    [("declined-card", "was declined"), ("in-person-card", "confirm this payment yourself")],
)
def test_both_gateways_say_why_in_a_code(build, world, button, words):
    invoice = build.posted("80")
    attempt = charge(invoice, save(world, invoice.customer, button))

    assert words in told_of_attempt(attempt, "en")


def test_what_a_customer_reads_does_not_hang_on_the_offices_words(build):
    customer = build.customer("Ada")
    with_autopay(build, customer)
    invoice = build.posted("80", customer=customer)
    work()
    build.payment(customer, "10")
    with after(3):
        work()
    (row,) = charges(invoice)
    assert (row.reason, row.reason_parts) == ("in_credit", {"amount": "$10.00"})

    row.outcome = "Worded anew by the office"

    assert told_of(row, "en") == "You have $10.00 in credit with us, which is used first."
    assert db.session.get(PlannedCharge, row.id) is row


def test_a_letter_about_a_failed_charge_holds_no_words_of_the_processor(build):
    customer = build.customer("Ada")
    with_autopay(build, customer, "in-person-card")
    build.posted("80", customer=customer)
    work()
    with after(3):
        work()

    body = mails("charge failed")[0].body
    assert "confirm this payment yourself" in body
    assert "ask them to pay online" not in body
