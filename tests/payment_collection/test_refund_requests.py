"""Above the limit one asks and somebody else decides."""

from datetime import timedelta

import pytest

from portal.audit import trail_of
from portal.company import today
from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields, InvalidTransition, NotAllowed
from portal.kernel.money import ZERO, Money
from portal.models import Payment, RefundRequest, RefundRequestState
from portal.payment_collection import (
    approve_refund,
    decline_refund,
    give_back_or_ask,
    money_back_waiting,
    needs_approval,
    refund_limit,
    requests_of,
)
from portal.payments import refund, refund_types, sources_of_payment
from portal.tasks import run_waiting
from tests.payment_collection.money_back import fresh, limit_refunds, only_refund, paid, words


@pytest.fixture
def limit(app):
    limit_refunds("50")
    db.session.commit()


def ask(build, payment, amount, by, **more):
    return give_back_or_ask(
        sources_of_payment(payment)[0], words(build, amount, through_gateway=True, **more), by=by
    )


def test_without_a_limit_one_person_is_enough(build):
    payment, _invoice = paid(build)

    assert refund_limit() is None
    assert isinstance(ask(build, payment, "80", build.person("Olive")), Payment)


def test_up_to_the_limit_it_goes_back_at_once(build, limit):
    payment, _invoice = paid(build)

    assert isinstance(ask(build, payment, "50", build.person("Olive")), Payment)


def test_above_it_nothing_is_booked_before_somebody_else_agrees(build, limit):
    payment, invoice = paid(build)
    olive, anne = build.person("Olive"), build.person("Anne")

    request = ask(build, payment, "50.01", olive)

    assert isinstance(request, RefundRequest)
    assert fresh(invoice).balance == ZERO
    assert money_back_waiting().requests == 1
    given = approve_refund(request, by=anne)
    db.session.commit()
    run_waiting()
    assert (request.refund_id, given.amount) == (given.id, -Money.of("50.01"))
    assert only_refund().state == "succeeded"
    assert fresh(invoice).balance == Money.of("50.01")
    said = "Anne approved the refund of $50.01 that Olive asked for."
    assert trail_of(request)[0].sentence == said
    assert said in [one.sentence for one in trail_of(payment)]


def test_two_halves_are_one_refund(build, limit):
    payment, _invoice = paid(build)
    olive = build.person("Olive")
    ask(build, payment, "40", olive)

    assert needs_approval(sources_of_payment(payment)[0], Money.of(11))
    assert isinstance(ask(build, payment, "11", olive), RefundRequest)


def test_another_typed_day_does_not_split_a_refund(build, limit):
    payment, _invoice = paid(build)
    olive = build.person("Olive")
    db.session.commit()

    with clock.frozen(clock.now() + timedelta(days=2)):
        ask(build, payment, "40", olive, on=today() - timedelta(days=1))
        assert isinstance(ask(build, payment, "11", olive, on=today()), RefundRequest)


def test_after_a_day_the_limit_counts_anew(build, limit):
    payment, _invoice = paid(build)
    olive = build.person("Olive")
    ask(build, payment, "40", olive)
    db.session.commit()

    with clock.frozen(clock.now() + timedelta(hours=25)):
        assert isinstance(ask(build, payment, "11", olive), Payment)


def test_nobody_approves_what_they_asked_for(build, limit):
    payment, _invoice = paid(build)
    olive = build.person("Olive")
    request = ask(build, payment, "80", olive)

    with pytest.raises(NotAllowed, match="somebody else"):
        approve_refund(request, by=olive)
    with pytest.raises(NotAllowed):
        decline_refund(request, by=olive, because="no")


def test_a_decline_says_why_and_is_final(build, limit):
    payment, _invoice = paid(build)
    request, anne = ask(build, payment, "80", build.person("Olive")), build.person("Anne")
    db.session.commit()

    with pytest.raises(InvalidFields, match="why"):
        decline_refund(request, by=anne, because="  ")
    db.session.rollback()
    decline_refund(request, by=anne, because="He has a warranty.")

    assert request.state is RefundRequestState.DECLINED
    assert requests_of(payment)[0].decided_because == "He has a warranty."
    with pytest.raises(InvalidTransition):
        approve_refund(request, by=anne)


def test_the_money_is_checked_again_at_approval(build, limit):
    payment = build.payment(build.customer(), "80")
    olive, anne = build.person("Olive"), build.person("Anne")
    source = sources_of_payment(payment)[0]
    check = words(build, "80", "Overpaid", type=refund_types()[0])
    request = give_back_or_ask(source, check, by=olive)
    db.session.commit()
    refund(sources_of_payment(payment)[0],
           words(build, "10", "Overpaid", type=refund_types()[0]))  # fmt: skip
    db.session.commit()

    with pytest.raises(InvalidFields, match=r"Only \$70.00"):
        approve_refund(request, by=anne)
    db.session.rollback()
    assert fresh(request).state is RefundRequestState.WAITING


def test_the_same_money_is_not_asked_for_twice(build, limit):
    payment, _invoice = paid(build)
    olive = build.person("Olive")
    ask(build, payment, "60", olive)

    with pytest.raises(DomainError, match=r"\$60.00 of this money already wait"):
        ask(build, payment, "51", olive)


def test_a_bad_form_is_refused_before_anybody_is_asked(build, limit):
    payment, _invoice = paid(build)

    with pytest.raises(InvalidFields, match="Only"):
        ask(build, payment, "81", build.person("Olive"))
