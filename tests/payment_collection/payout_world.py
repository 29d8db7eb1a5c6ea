"""A payout as a processor makes it, with everything behind it on our books."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from random import Random

import sqlalchemy as sa

from portal.db import db
from portal.kernel import clock
from portal.kernel.money import ZERO, Money
from portal.ledger import Leg, post_entry
from portal.models import (
    AccountRole,
    Customer,
    Dispute,
    DisputeMovement,
    DisputeState,
    GatewayRefund,
    GatewayRefundState,
    MovementKind,
    Payment,
    PaymentType,
    TestGatewayObject,
)
from portal.payment_collection.gateways.test_gateway.moving import fee_of
from portal.payment_collection.gateways.test_gateway.payouts import _row
from portal.payment_collection.port.payouts import MovementSeen
from portal.payments import ReceivedMoney, receive_payment

R, K = AccountRole, MovementKind
DAY = date(2026, 3, 2)


@dataclass
class PayoutWorld:
    """Makes movements together with what our books say of them; `pay_out` sends them."""

    customer: Customer
    random: Random = field(default_factory=lambda: Random(1))
    moved: list[MovementSeen] = field(default_factory=list)

    def charge(self, amount: Money | None = None) -> Payment:
        n = len(self.moved)
        amount = amount or Money(self.random.randint(200, 500_000))
        payment = receive_payment(
            ReceivedMoney(customer=self.customer, amount=amount, type=test_type(), on=DAY,
                          provider="test", provider_ref=f"tpi_{n}", livemode=False),
            [],
        )  # fmt: skip
        fee = fee_of(amount, self.random.choice(["card", "bank_debit"]))
        self._move(K.CHARGE, amount, fee, f"tpi_{n}", f"tpi_{n}")
        return payment

    def refund(self, payment: Payment, amount: Money, *, fails: bool = False) -> GatewayRefund:
        given = Payment(customer=payment.customer, type=payment.type, amount=-amount,
                        unapplied=ZERO, received_on=DAY, livemode=False, refunds=payment,
                        gives_back=payment, applications=[])  # fmt: skip
        payment.unapplied -= amount
        db.session.add(given)
        db.session.flush()
        ref = f"tre_{given.id}"
        refund = GatewayRefund(
            public_id=ref, refund_id=given.id, payment_id=payment.id, gateway="test",
            livemode=False, payment_ref=payment.provider_ref, refund_ref=ref, amount=amount,
            currency="USD", state=GatewayRefundState.SUCCEEDED, settled_at=clock.now(),
        )  # fmt: skip
        db.session.add(refund)
        db.session.flush()
        deposits = Leg(R.CUSTOMER_DEPOSITS, amount, customer_id=payment.customer_id)
        book(("payment", given.id), deposits, Leg(R.REFUNDS_IN_TRANSIT, -amount))
        source = ("gatewayrefund", refund.id)
        book(source, Leg(R.REFUNDS_IN_TRANSIT, amount), Leg(R.TEST_CLEARING, -amount))
        self._move(K.REFUND, -amount, ZERO, payment.provider_ref, ref)
        if fails:
            book(source, Leg(R.REFUNDS_IN_TRANSIT, -amount), Leg(R.TEST_CLEARING, amount))
            refund.state = GatewayRefundState.FAILED
            self._move(K.REFUND_FAILURE, amount, ZERO, payment.provider_ref, ref)
        return refund

    def dispute(self, payment: Payment, *, won: bool = False) -> Dispute:
        fee = Money.of(15)
        dispute = Dispute(
            gateway="test", dispute_ref=f"tdp_{payment.id}", payment_id=payment.id,
            amount=payment.amount, held=payment.amount, fee=fee,
            state=DisputeState.WON if won else DisputeState.OPEN,
        )  # fmt: skip
        db.session.add(dispute)
        db.session.flush()
        self._book_dispute(dispute, -payment.amount, fee, K.DISPUTE, payment)
        if won:
            self._book_dispute(dispute, payment.amount, ZERO, K.DISPUTE_REVERSAL, payment)
        return dispute

    def fee(self, amount: Money) -> None:
        self._move(K.FEE, -amount, ZERO, "", "tfee")

    def pay_out(self, *, cent_on: int | None = None) -> str:
        """The gateway's rows; `cent_on` is the movement that is one cent more there."""
        if cent_on is not None:
            one = self.moved[cent_on]
            self.moved[cent_on] = replace(one, amount=one.amount + Money(1))
        net = Money.total(one.amount - one.fee for one in self.moved)
        ref = f"tpo_{db.session.scalar(sa.select(sa.func.count()).select_from(TestGatewayObject))}"
        db.session.add(TestGatewayObject(ref=ref, kind="payout", state="paid", amount=net,
                                         data={"arrives_on": DAY.isoformat()}))  # fmt: skip
        db.session.add_all([_row(one, ref) for one in self.moved])
        db.session.commit()
        return ref

    def _book_dispute(
        self, dispute: Dispute, amount: Money, fee: Money, kind: MovementKind, payment: Payment
    ) -> None:
        ref = self._move(kind, amount, fee, payment.provider_ref, dispute.dispute_ref)
        moved = DisputeMovement(dispute_id=dispute.id, movement_ref=ref, amount=amount, fee=fee,
                                moved_at=clock.now())  # fmt: skip
        db.session.add(moved)
        db.session.flush()
        book(("disputemovement", moved.id), Leg(R.DISPUTED, -amount),
             Leg(R.PROCESSING_FEES, fee), Leg(R.TEST_CLEARING, amount - fee))  # fmt: skip

    def _move(
        self, kind: MovementKind, amount: Money, fee: Money, payment_ref: str, source_ref: str
    ) -> str:
        ref = f"tbt_{len(self.moved)}"
        self.moved.append(
            MovementSeen(ref, kind.value, amount, fee, clock.now(), payment_ref, source_ref)
        )
        return ref


def big_payout(customer: Customer, seed: int, *, rows: int = 500) -> PayoutWorld:
    """Charges, and of them refunds (some fail), disputes (some won) and monthly fees."""
    world = PayoutWorld(customer, Random(seed))
    payments = [world.charge() for _ in range(rows * 88 // 100)]
    for n, payment in enumerate(world.random.sample(payments, rows * 8 // 100)):
        if n % 4 == 0:
            world.dispute(payment, won=n % 8 == 0)
        else:
            part = Money(world.random.randint(1, payment.amount.cents))
            world.refund(payment, part, fails=n % 7 == 1)
    while len(world.moved) < rows:
        world.fee(Money(world.random.randint(1, 500)))
    return world


def book(source: tuple[str, int], *legs: Leg) -> None:
    post_entry(on=DAY, memo="by hand", source=source, legs=[leg for leg in legs if leg.amount])


def test_type() -> PaymentType:
    query = sa.select(PaymentType).where(PaymentType.online).join(PaymentType.account)
    return db.session.scalars(query.where(sa.text("role = 'test_gateway_clearing'"))).first()


test_type.__test__ = False
