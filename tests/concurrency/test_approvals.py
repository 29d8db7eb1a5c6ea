"""An approver and an editor at once: nothing is approved that the approver did not see."""

import pytest

from portal.db import db, in_transaction
from portal.invoices import (
    OWN_WORK,
    ApprovalWords,
    LineWords,
    add_line,
    add_rule,
    approve_invoice,
    get_invoice,
    review_invoice,
    review_invoices,
)
from portal.kernel.errors import Conflict, DomainError
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import ReviewState, User

pytestmark = pytest.mark.concurrency


def test_a_line_added_beside_the_approval_is_not_approved_with_it(build, at_once, turn):
    add_rule(ApprovalWords("Large", over=Money.of(100)))
    boss, invoice = build.person("Bea"), build.invoice("150")
    review_invoice(invoice, ReviewState.REVIEWED)
    number, version, boss_id = invoice.id, invoice.version, boss.id
    db.session.commit()
    line = LineWords("More", Quantity.of(1), UnitPrice.of(50))

    def approves():
        def act():
            by = db.session.get_one(User, boss_id)
            approve_invoice(get_invoice(number), by=by, version=version, confirmed=[OWN_WORK])

        return in_transaction(act)

    raised = at_once(approves, lambda: in_transaction(lambda: add_line(get_invoice(number), line)))

    saved = get_invoice(number)
    assert raised[1] is None
    assert saved.review_state is ReviewState.PENDING_APPROVAL
    assert (saved.total, saved.approved_total) in [
        (Money.of(200), None),
        (Money.of(200), Money.of(150)),
    ]
    assert raised[0] is None or isinstance(raised[0], Conflict)


def test_of_two_reviewers_one_is_told_that_it_is_done(build, at_once, turn):
    ids = [build.invoice("5").id, build.invoice("6").id]
    db.session.commit()
    done = []

    def reviews(order):
        def act():
            outcome = review_invoices(order, ReviewState.REVIEWED)
            return [one.id for one in outcome.done]

        return lambda: done.extend(in_transaction(act))

    raised = at_once(reviews(ids), reviews(ids[::-1]))

    assert not [one for one in raised if not isinstance(one, DomainError | None)]
    assert sorted(done) == sorted(ids)
