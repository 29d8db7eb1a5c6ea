"""A payment marked as bounced by mistake counts again, as if that had never been."""

from datetime import date

import pytest

from portal.audit import trail_of
from portal.kernel.errors import DomainError, PeriodClosed
from portal.kernel.money import ZERO, Money
from portal.ledger import close_through, entries_of
from portal.payments import (
    ReturnReason,
    apply_payment,
    delete_payment,
    move_application,
    post_payments,
    return_payment,
    taken_off,
    unapply,
    undo_return,
    undo_return_problem,
)
from portal.reports import control_ties

DAY = date(2026, 2, 10)
WHY = "the bank mixed up two checks"


@pytest.fixture
def bounced(build):
    """A payment of 120 that paid an invoice of 100 and was marked as bounced."""
    invoice = build.posted("100", on=date(2026, 1, 5))
    payment = build.payment(invoice.customer, "120", invoice, on=date(2026, 1, 20))
    return_payment(payment, ReturnReason.BOUNCED, on=DAY, note="NSF")
    return payment, invoice


def test_everything_is_as_before_on_every_day(bounced):
    payment, invoice = bounced

    back = undo_return(payment, because=WHY)

    assert back == Money.of(100)
    assert (payment.returned_on, payment.returned_because) == (None, "")
    assert (payment.unapplied, invoice.balance) == (Money.of(20), ZERO)
    for day in (date(2026, 1, 25), DAY, date(2026, 3, 2)):
        assert [tie.difference for tie in control_ties(on=day)] == [ZERO, ZERO]
    assert len(entries_of(payment)) == 3
    assert entries_of(payment)[2].reverses_id == entries_of(payment)[1].id
    assert WHY in trail_of(payment)[0].sentence


def test_what_somebody_else_paid_meanwhile_stays_and_the_money_is_credit(bounced, build):
    payment, invoice = bounced
    build.payment(invoice.customer, "70", invoice, on=date(2026, 2, 20))

    back = undo_return(payment, because=WHY)

    assert (back, payment.unapplied) == (Money.of(30), Money.of(90))
    assert invoice.balance == ZERO


def test_it_can_bounce_again_and_be_undone_again(bounced):
    payment, invoice = bounced
    undo_return(payment, because=WHY)
    return_payment(payment, ReturnReason.STOPPED, on=date(2026, 2, 20))
    assert (payment.unapplied, invoice.balance) == (ZERO, Money.of(100))

    undo_return(payment, because=WHY)

    assert (payment.unapplied, invoice.balance) == (Money.of(20), ZERO)


def test_it_can_be_deleted_after_it_was_undone_the_same_day(build):
    payment = build.payment(build.customer(), "50")
    return_payment(payment, ReturnReason.BOUNCED, on=payment.received_on)
    undo_return(payment, because=WHY)

    delete_payment(payment, version=payment.version)

    assert payment.counts == ZERO


def test_a_closed_month_is_refused(bounced):
    close_through(date(2026, 2, 1))

    with pytest.raises(PeriodClosed):
        undo_return(bounced[0], because=WHY)


def test_it_needs_a_reason(bounced):
    with pytest.raises(DomainError, match="Say why"):
        undo_return(bounced[0], because=" ")


def test_what_was_never_returned_has_nothing_to_undo(build):
    payment = build.payment(build.customer(), "50")

    assert undo_return_problem(payment) == "This payment was not returned."


def test_what_was_posted_as_counting_for_nothing_is_unposted_first(bounced):
    payment, _ = bounced
    post_payments([payment.id])

    assert "posted as counting for nothing" in undo_return_problem(payment)


@pytest.fixture
def split(build):
    """A payment of 100 on two invoices of 100: 60 on the first, 40 on the second."""
    customer = build.customer()
    invoices = [build.posted("100", customer=customer, on=date(2026, 1, day)) for day in (5, 6)]
    payment = build.payment(customer, "100", on=date(2026, 1, 20))
    for invoice, share in zip(invoices, (60, 40), strict=True):
        apply_payment(payment, invoice, Money.of(share), on=date(2026, 1, 20))
    return payment, invoices


def test_a_second_return_on_the_same_day_is_undone_for_itself(split):
    payment, invoices = split
    return_payment(payment, ReturnReason.BOUNCED, on=DAY)
    undo_return(payment, because=WHY)
    return_payment(payment, ReturnReason.BOUNCED, on=DAY)
    assert [-row.amount for row in taken_off(payment)] == [Money.of(60), Money.of(40)]

    undo_return(payment, because=WHY)

    assert [one.balance for one in invoices] == [Money.of(40), Money.of(60)]


def test_what_was_moved_that_day_goes_back_to_where_it_was_moved(split):
    payment, (one, two) = split
    move_application(payment.applications[0], two, Money.of(60), on=DAY)
    return_payment(payment, ReturnReason.BOUNCED, on=DAY)

    undo_return(payment, because=WHY)

    assert (one.balance, two.balance) == (Money.of(100), ZERO)


def test_a_payment_that_was_deleted_goes_back_on_the_days_it_was_applied(split, build):
    payment, invoices = split
    later = build.posted("20", customer=payment.customer, on=date(2026, 1, 7))
    unapply(payment.applications[1], on=date(2026, 1, 20))
    apply_payment(payment, later, Money.of(20), on=date(2026, 1, 25))
    delete_payment(payment, version=payment.version)

    assert undo_return(payment, because=WHY) == Money.of(80)

    assert [one.balance for one in (*invoices, later)] == [Money.of(40), Money.of(100), ZERO]
    assert later.settled_on == date(2026, 1, 25)
