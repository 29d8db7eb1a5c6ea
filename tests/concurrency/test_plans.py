"""Plans and what races them: one acceptance, one offer per invoice, no plan over a payment."""

import pytest
import sqlalchemy as sa

from portal.db import db, in_transaction
from portal.kernel.errors import Conflict, DomainError, InvalidTransition
from portal.kernel.money import Money
from portal.models import Consent, Invoice, PlanRhythm, PlanShare, PlanState
from portal.payment_plans import (
    PlanTerms,
    accept_plan,
    ask_for_plan,
    get_plan,
    offer_plan,
    withdraw_plan,
)
from portal.payments import ReceivedMoney, payment_types, receive_payment
from tests.payment_plans.plans import TODAY, agreed, offered

pytestmark = pytest.mark.concurrency


def accepts(plan_id, said):
    return lambda: in_transaction(lambda: accept_plan(get_plan(plan_id), said))


def live_shares(invoice_id):
    query = sa.select(sa.func.count()).select_from(PlanShare)
    return db.session.scalar(query.where(PlanShare.invoice_id == invoice_id, PlanShare.live))


def test_of_two_acceptances_at_once_one_counts(build, at_once, turn):
    plan = offered(build.posted("100"))
    plan_id, said = plan.id, agreed(plan)
    db.session.commit()
    raised = at_once(accepts(plan_id, said), accepts(plan_id, said))
    assert sorted(type(one) for one in raised if one) == [InvalidTransition]
    assert get_plan(plan_id).state is PlanState.ACTIVE
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Consent)) == 1


def test_an_acceptance_beside_a_payment_counts_or_is_told(build, at_once, turn):
    invoice = build.posted("100")
    plan = offered(invoice)
    plan_id, invoice_id, said = plan.id, invoice.id, agreed(plan)
    db.session.commit()

    def pays():
        def act():
            one = db.session.get_one(Invoice, invoice_id)
            money = ReceivedMoney(customer=one.customer, amount=Money.of(30), on=TODAY,
                                  type=payment_types()[0])  # fmt: skip
            receive_payment(money, [(one, Money.of(30))])

        return in_transaction(act)

    raised = at_once(accepts(plan_id, said), pays)
    assert raised[1] is None
    plan = get_plan(plan_id)
    if raised[0] is None:
        assert (plan.state, plan.paid) == (PlanState.ACTIVE, Money.of(30))
    else:
        assert (type(raised[0]), plan.state) == (Conflict, PlanState.PROPOSED)


def test_an_acceptance_beside_a_withdrawal_ends_in_one_answer(build, at_once, turn):
    plan = offered(build.posted("100"))
    plan_id, said = plan.id, agreed(plan)
    db.session.commit()
    raised = at_once(
        accepts(plan_id, said),
        lambda: in_transaction(lambda: withdraw_plan(get_plan(plan_id), because="Mistake")),
    )
    assert all(isinstance(one, DomainError | None) for one in raised)
    assert get_plan(plan_id).state in (PlanState.WITHDRAWN, PlanState.ACTIVE)


def test_a_wish_beside_an_offer_leaves_one_live_plan(build, at_once, turn):
    invoice = build.posted("100")
    invoice_id = invoice.id
    db.session.commit()

    def asks():
        one = db.session.get_one(Invoice, invoice_id)
        ask_for_plan(one.customer, [one], rhythm=PlanRhythm.WEEKLY, asked_by="ada@example.org")

    def offers():
        one = db.session.get_one(Invoice, invoice_id)
        offer_plan(one.customer, PlanTerms([one], 2, PlanRhythm.WEEKLY, TODAY), by="Olive")

    raised = at_once(lambda: in_transaction(asks), lambda: in_transaction(offers))
    assert sorted(type(one) for one in raised if one) == [DomainError]
    assert live_shares(invoice_id) == 1
