"""Money that waits for a person: what its payer is told, and what leaves it alone."""

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import unpost_invoice
from portal.kernel.errors import Conflict, DomainError
from portal.kernel.money import ZERO, Money
from portal.models import AttemptState, PaymentAttempt, TestCheckout
from portal.payment_collection import (
    close_stale,
    compare_with_gateway,
    explain,
    settle,
    stale_attempts,
    told_of_attempt,
)
from portal.payment_collection.attempts import get_attempt
from tests.conftest import payer_client
from tests.payment_collection.money_back import paid
from tests.payment_collection.test_comparing import differences
from tests.payment_collection.test_currencies import in_euros, only_difference
from tests.payment_collection.test_settling import begin, press, state_of


def paid_in_euros(build):
    invoice = build.posted("80")
    attempt_id, page = begin(invoice)
    press(page, "succeed")
    in_euros("charge")
    settle(attempt_id)
    return invoice, attempt_id


def parked(attempt_id):
    """Nobody could be asked about it for days."""
    attempt = get_attempt(attempt_id)
    attempt.state, attempt.next_check_at = AttemptState.UNKNOWN, None
    db.session.commit()


def test_the_payer_of_money_in_another_currency_is_never_told_to_pay_again(build, app):
    invoice, attempt_id = paid_in_euros(build)
    attempt = get_attempt(attempt_id)
    client = payer_client(app, invoice.customer.contacts[0].email)
    page = f"/my/pay/back/{attempt.public_id}"
    for _ in ("while it is parked", "when somebody saw to it"):
        said = client.get(page).text
        assert "arrived in another currency" in said
        assert "You were not charged" not in said
        assert "Try again" not in said
        assert "hx-get" not in said.split('id="outcome"')[1].split(">")[0]
        for row in [one for one in differences() if one.resolved_at is None]:
            explain(row.id, by="Olive", because="Given back there.")
        db.session.commit()
    assert state_of(attempt_id) is AttemptState.EXPIRED
    attempt = get_attempt(attempt_id)
    assert [told_of_attempt(attempt, one)[:12] for one in ("en", "es", "fr")] == [
        "Your payment", "Su pago lleg", "Votre paieme",
    ]  # fmt: skip


def test_what_waits_for_a_person_is_not_called_somebody_who_pays_at_this_moment(build):
    invoice, _attempt_id = paid_in_euros(build)
    with pytest.raises(DomainError, match="being looked into") as refused:
        begin(invoice)
    assert not isinstance(refused.value, Conflict)


def test_a_page_nobody_could_be_asked_about_is_withdrawn_when_the_gateway_answers(build):
    invoice = build.posted("80")
    attempt_id, _page = begin(invoice)
    parked(attempt_id)

    begin(invoice, Money.of(20))

    assert state_of(attempt_id) is AttemptState.EXPIRED


def test_foreign_money_that_was_explained_is_not_listed_again_by_the_comparison(build):
    paid_in_euros(build)
    explain(only_difference().id, by="Olive", because="Given back there.")
    db.session.commit()

    compare_with_gateway()

    assert [one.sentence for one in differences() if one.resolved_at is None] == []


def test_what_was_explained_is_told_again_when_its_amount_changed(build):
    payment, _invoice = paid(build)
    for came, listed in (("79", 1), ("79", 0), ("78", 1)):
        db.session.execute(sa.update(TestCheckout).values(amount=Money.of(came)))
        db.session.commit()
        compare_with_gateway()
        rows = [one for one in differences() if one.resolved_at is None]
        assert len(rows) == listed
        for row in rows:
            explain(row.id, by="Olive", because="The rest came in cash.")
        db.session.commit()
    assert payment.amount == Money.of(80)


def test_the_sweep_closes_the_page_of_an_invoice_that_became_editable(build, monkeypatch):
    invoice = build.posted("80")
    attempt_id, _page = begin(invoice)
    monkeypatch.setattr("portal.payment_collection.stale.wake", lambda *_words: None)
    unpost_invoice(invoice, because="Wrong price")
    db.session.commit()
    assert list(stale_attempts()) == [attempt_id]

    close_stale(attempt_id)

    assert (state_of(attempt_id), list(stale_attempts())) == (AttemptState.EXPIRED, [])


def test_a_parked_attempt_is_left_alone_when_its_invoice_is_paid_otherwise(build, monkeypatch):
    invoice, attempt_id = paid_in_euros(build)
    woken = []
    monkeypatch.setattr("portal.payment_collection.stale.wake", lambda *words: woken.append(words))
    build.payment(invoice.customer, "80", invoice)
    db.session.commit()

    assert (list(stale_attempts()), woken) == ([], [])
    assert state_of(attempt_id) is AttemptState.UNKNOWN
    assert db.session.get(type(invoice), invoice.id, populate_existing=True).balance == ZERO
    assert db.session.scalar(sa.select(sa.func.count(PaymentAttempt.id))) == 1
