"""The checks of money that goes back can fail: each is broken on purpose."""

import sqlalchemy as sa

from portal.db import db
from portal.kernel.money import Money
from portal.ledger import Leg, post_entry, verify_books
from portal.models import AccountRole, Dispute, GatewayRefund, GatewayRefundState
from tests.payment_collection.money_back import back, paid, told


def broken(*statements):
    """What the books say after these; everything is rolled back."""
    db.session.commit()
    for statement in statements:
        statement()
    sentences = verify_books()
    db.session.rollback()
    return " ".join(sentences)


def test_refunds_in_transit_tie_to_their_account(build):
    payment, _invoice = paid(build, by="bank-debit")
    back(build, payment, "30")

    said = broken(lambda: db.session.execute(
        sa.update(GatewayRefund).values(state=GatewayRefundState.SUCCEEDED)
    ))  # fmt: skip
    assert "Refunds in Transit holds $30.00; the refunds on their way are $0.00" in said


def test_a_failed_refund_counts_for_nothing(build):
    payment, _invoice = paid(build)
    given = back(build, payment, "30").id

    said = broken(lambda: db.session.execute(
        sa.update(GatewayRefund).values(state=GatewayRefundState.FAILED)
    ))  # fmt: skip
    assert f"Refund {given} is failed and counts $30.00; it should count $0.00." in said


def test_a_dispute_holds_what_moved(build):
    payment, _invoice = paid(build)
    told(payment, "dispute")

    said = broken(lambda: db.session.execute(sa.update(Dispute).values(held=Money(7999))))
    assert "$79.99 are held; what the gateway moved says $80.00" in said


def test_disputed_payments_hold_what_is_undecided(build):
    payment, _invoice = paid(build)
    told(payment, "dispute")

    def post():
        legs = [Leg(AccountRole.DISPUTED, payment.amount), Leg(AccountRole.CHECKING,
                                                               -payment.amount)]  # fmt: skip
        post_entry(on=build.today, memo="x", source=("x", 1), legs=legs)

    assert "Disputed Payments holds $160.00" in broken(post)
