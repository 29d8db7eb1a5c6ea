"""A payout as a processor makes it, with everything behind it on our books."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from random import Random

import sqlalchemy as sa

from portal.db import db
from portal.kernel import clock
from portal.kernel.money import ZERO, Money
from portal.models import (
    Customer,
    MovementKind,
    Payment,
    PaymentType,
    TestGatewayObject,
)
from portal.payment_collection import find_refunds, look_at_dispute
from portal.payment_collection.gateways.test_gateway.moving import fee_of
from portal.payment_collection.gateways.test_gateway.payouts import _row
from portal.payment_collection.port.payouts import MovementSeen
from portal.payments import ReceivedMoney, receive_payment

K = MovementKind
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

    def refund(self, payment: Payment, amount: Money, *, fails: bool = False) -> None:
        """Given back at the gateway and found by us; one that fails comes back the same day."""
        payment_ref, ref = str(payment.provider_ref), f"tre_{len(self.moved)}"
        made = TestGatewayObject(
            ref=ref, kind="refund", parent_ref=payment_ref, state="succeeded", amount=amount,
            data={"reference": "", "moved_at": clock.now().isoformat()},
        )  # fmt: skip
        db.session.add(made)
        db.session.commit()
        find_refunds(payment_ref)
        self._move(K.REFUND, -amount, ZERO, payment_ref, ref, f"tbt_{ref}")
        if fails:
            made.state, made.data = "failed", {**made.data, "failure": "the account was closed"}
            db.session.commit()
            find_refunds(payment_ref)
            self._move(K.REFUND_FAILURE, amount, ZERO, payment_ref, ref, f"tbt_{ref}_back")

    def dispute(self, payment: Payment, *, won: bool = False) -> None:
        payment_ref, amount = str(payment.provider_ref), payment.amount
        ref = f"tdp_{payment.id}"
        db.session.add(
            TestGatewayObject(
                ref=ref, kind="dispute", parent_ref=payment_ref, amount=amount,
                state="won" if won else "open", data={"answer_by": clock.now().isoformat()},
            )
        )  # fmt: skip
        self._hold(ref, payment_ref, -amount, Money.of(15), K.DISPUTE)
        if won:
            self._hold(ref, payment_ref, amount, ZERO, K.DISPUTE_REVERSAL)
        db.session.commit()
        look_at_dispute(ref)

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

    def _hold(
        self, ref: str, payment_ref: str, amount: Money, fee: Money, kind: MovementKind
    ) -> None:
        """What the gateway took for a dispute, or gave back of it."""
        moved = self._move(kind, amount, fee, payment_ref, ref)
        data = {"fee": fee.cents, "moved_at": clock.now().isoformat(), "payment_ref": payment_ref}
        db.session.add(
            TestGatewayObject(ref=moved, kind="dispute_movement", parent_ref=ref,
                              state=kind.value, amount=amount, data=data)
        )  # fmt: skip

    def _move(
        self,
        kind: MovementKind,
        amount: Money,
        fee: Money,
        payment_ref: str,
        source_ref: str,
        ref: str = "",
    ) -> str:
        ref = ref or f"tbt_{len(self.moved)}"
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


def test_type() -> PaymentType:
    query = sa.select(PaymentType).where(PaymentType.online).join(PaymentType.account)
    return db.session.scalars(query.where(sa.text("role = 'test_gateway_clearing'"))).first()


test_type.__test__ = False
