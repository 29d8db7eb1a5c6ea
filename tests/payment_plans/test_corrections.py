"""A covered invoice is corrected: what was paid on the plan stays paid."""

from portal.db import PageRequest, db
from portal.invoices import LineWords, add_line, post_invoice, remove_line, unpost_invoice
from portal.kernel.money import ZERO
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import PlanRhythm, PlanState
from portal.payment_plans import PlanFilter, find_plans
from tests.payment_plans.plans import (
    TODAY,
    accepted,
    amounts,
    dollars,
    in_days,
    look_on,
    pay,
    weekly,
)


def add(invoice, price):
    one = UnitPrice.of(price)
    add_line(invoice, LineWords(description="forgotten", quantity=Quantity.of(1), unit_price=one))


def next_due(on):
    """Whether the list of the office finds the plan late, as SQL computes it."""
    return [one.id for one in find_plans(PlanFilter(missed=True), PageRequest(), on=on).rows]


def test_an_invoice_corrected_upwards_keeps_what_was_paid_on_its_plan(build):
    plan = weekly(build)
    invoice = plan.shares[0].invoice
    pay(build, invoice, "50")
    unpost_invoice(invoice, because="One line forgotten")
    add(invoice, "50")
    post_invoice(invoice)
    assert invoice.balance == dollars("100")
    assert [one[2] for one in amounts(plan)] == ["paid", "paid", "planned", "planned"]
    assert next_due(in_days(9)) == []
    look_on(in_days(13))
    assert (plan.state, plan.open) == (PlanState.ACTIVE, dollars("50"))
    pay(build, plan.shares[0].invoice, "50", on=in_days(0))
    look_on(in_days(14))
    assert (plan.state, plan.shares[0].invoice.balance) == (PlanState.KEPT, dollars("50"))


def test_a_line_exchanged_for_a_dearer_one_pays_nothing(build):
    invoice = build.posted("60", "40")
    plan = accepted(invoice, rhythm=PlanRhythm.WEEKLY)
    pay(build, invoice, "25")
    unpost_invoice(invoice, because="Wrong part")
    remove_line(invoice, invoice.lines[1])
    add(invoice, "70")
    post_invoice(invoice)
    assert (invoice.balance, plan.open) == (dollars("105"), dollars("75"))
    assert next_due(in_days(1)) == []


def test_what_a_correction_takes_off_counts_for_the_oldest_instalments(build):
    invoice = build.posted("60", "40")
    plan = accepted(invoice, rhythm=PlanRhythm.WEEKLY)
    pay(build, invoice, "50")
    unpost_invoice(invoice, because="Never fitted")
    remove_line(invoice, invoice.lines[1])
    post_invoice(invoice)
    assert (invoice.balance, plan.open) == (dollars("10"), dollars("10"))
    pay(build, invoice, "10")
    look_on(TODAY)
    assert (plan.state, plan.open) == (PlanState.KEPT, ZERO)
    db.session.commit()
