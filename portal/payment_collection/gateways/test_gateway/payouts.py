"""Payouts of the TEST GATEWAY: what moved is paid out, arrives or comes back, by buttons."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.db import lock_alone, own_transaction, reading
from portal.db.base import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.money import Money
from portal.models import TestCheckout, TestGatewayObject
from portal.payment_collection.gateways.test_gateway.base import TestDoor
from portal.payment_collection.gateways.test_gateway.moving import all_movements
from portal.payment_collection.port.payouts import MovementSeen, PaymentListed, PayoutSeen

PAID_OUT = "paid:"  # before the reference of a movement: once in one payout
LOCK = "payouts of the test gateway"


class TestPayouts(TestDoor):
    """Rows of kind payout, and of kind movement for what each one paid out."""

    def look_up_payout(self, payout_ref: str) -> PayoutSeen:
        with reading(), Session(db.engine) as session:
            return _seen(_payout(session, payout_ref))

    def payouts_between(self, start: datetime, end: datetime) -> Iterator[PayoutSeen]:
        with reading(), Session(db.engine) as session:
            made = TestGatewayObject.created_at
            query = sa.select(TestGatewayObject).where(
                TestGatewayObject.kind == "payout", made >= start, made < end
            )
            found = [_seen(row) for row in session.scalars(query.order_by(TestGatewayObject.id))]
        return iter(found)

    def movements_of(self, payout_ref: str) -> Iterator[MovementSeen]:
        with reading(), Session(db.engine) as session:
            found = [_moved(row) for row in session.scalars(_paid_out(payout_ref))]
        return iter(found)

    def movements_between(self, start: datetime, end: datetime) -> Iterator[MovementSeen]:
        with reading(), Session(db.engine) as session:
            found = [one for one in all_movements(session) if start <= one.moved_at < end]
        return iter(found)

    def payments_between(self, start: datetime, end: datetime) -> Iterator[PaymentListed]:
        with reading(), Session(db.engine) as session:
            return iter([*_pages(session, start, end), *_charges(session, start, end)])

    def pay_out(self) -> list[bytes]:
        """Send everything that was not paid out yet to the bank; no webhook when nothing was."""
        with own_transaction() as session:
            lock_alone(LOCK, session)
            gone = set(session.scalars(sa.select(TestGatewayObject.ref).where(IS_PAID_OUT)))
            every = all_movements(session)
            moved = [one for one in every if f"{PAID_OUT}{one.movement_ref}" not in gone]
            if not moved:
                return []
            payout = TestGatewayObject(
                ref=f"tpo_{secrets.token_urlsafe(16)}",
                kind="payout",
                state="on_its_way",
                amount=Money.total(one.amount - one.fee for one in moved),
                data={
                    "arrives_on": (clock.now() + timedelta(days=1)).date().isoformat(),
                    "currency": next((one.currency for one in moved if one.currency), ""),
                },
            )
            session.add(payout)
            session.add_all([_row(one, payout.ref) for one in moved])
            return [_event("payout.created", payout.ref)]

    def arrivals(self, on: date) -> list[str]:
        """Payouts on their way that arrive by that day."""
        with reading(), Session(db.engine) as session:
            query = sa.select(TestGatewayObject).where(
                TestGatewayObject.kind == "payout", TestGatewayObject.state == "on_its_way"
            )
            found = [_seen(row) for row in session.scalars(query)]
        return [one.payout_ref for one in found if one.arrives_on <= on]

    def let_arrive(self, payout_ref: str) -> list[bytes]:
        """The bank has it. Raises DomainError when it is past that."""
        kinds = ["payout.paid", "payout.reconciliation_completed"]
        return self._end(payout_ref, "paid", ("on_its_way",), kinds)

    def let_fail(self, payout_ref: str) -> list[bytes]:
        """The bank sends it back: its amount is paid out with the next one."""
        return self._end(payout_ref, "failed", ("on_its_way", "paid"), ["payout.failed"])

    def _end(
        self, payout_ref: str, state: str, before: tuple[str, ...], kinds: list[str]
    ) -> list[bytes]:
        with own_transaction() as session:
            lock_alone(LOCK, session)
            row = _payout(session, payout_ref)
            if row.state not in before:
                raise DomainError("This test payout is past that step.")
            row.state = state
            if state == "failed":
                words = "The bank account is closed."
                failed_at = clock.now().isoformat()
                row.data = {**row.data, "failed_at": failed_at, "failure": words}
            return [_event(kind, payout_ref) for kind in kinds]


IS_PAID_OUT = TestGatewayObject.kind == "movement"


def _paid_out(payout_ref: str) -> sa.Select[TestGatewayObject]:
    of_it = TestGatewayObject.kind == "movement", TestGatewayObject.parent_ref == payout_ref
    return sa.select(TestGatewayObject).where(*of_it).order_by(TestGatewayObject.id)


def _payout(session: Session, payout_ref: str) -> TestGatewayObject:
    row = session.scalar(
        sa.select(TestGatewayObject).where(
            TestGatewayObject.kind == "payout", TestGatewayObject.ref == payout_ref
        )
    )
    if row is None:
        raise OutsideFailure("TEST GATEWAY: no such payout.", permanent=True, missing=True)
    return row


def _seen(row: TestGatewayObject) -> PayoutSeen:
    return PayoutSeen(
        payout_ref=row.ref,
        amount=row.amount,
        arrives_on=date.fromisoformat(row.data["arrives_on"]),
        state=row.state,
        failure=row.data.get("failure", ""),
        currency=row.data.get("currency", ""),
    )


def _row(moved: MovementSeen, payout_ref: str) -> TestGatewayObject:
    return TestGatewayObject(
        ref=f"{PAID_OUT}{moved.movement_ref}",
        kind="movement",
        parent_ref=payout_ref,
        amount=moved.amount,
        data={
            "kind": moved.kind,
            "fee_cents": moved.fee.cents,
            "moved_at": moved.moved_at.isoformat(),
            "payment_ref": moved.payment_ref,
            "source_ref": moved.source_ref,
            "currency": moved.currency,
        },
    )


def _moved(row: TestGatewayObject) -> MovementSeen:
    return MovementSeen(
        movement_ref=row.ref.removeprefix(PAID_OUT),
        kind=row.data["kind"],
        amount=row.amount,
        fee=Money(row.data["fee_cents"]),
        moved_at=datetime.fromisoformat(row.data["moved_at"]),
        payment_ref=row.data["payment_ref"],
        source_ref=row.data["source_ref"],
        payout_ref=row.parent_ref,
        currency=row.data.get("currency", ""),
    )


def _pages(session: Session, start: datetime, end: datetime) -> Iterator[PaymentListed]:
    made = TestCheckout.created_at
    query = sa.select(TestCheckout).where(
        TestCheckout.state == "succeeded", made >= start, made < end
    )
    for row in session.scalars(query):
        refunded = _refunded(session, row.payment_ref)
        yield PaymentListed(
            row.payment_ref, row.client_reference, row.amount, refunded, row.pressed_at,
            row.currency,
        )  # fmt: skip


def _charges(session: Session, start: datetime, end: datetime) -> Iterator[PaymentListed]:
    made = TestGatewayObject.created_at
    query = sa.select(TestGatewayObject).where(
        TestGatewayObject.kind == "charge",
        TestGatewayObject.state == "succeeded",
        made >= start,
        made < end,
    )
    for row in session.scalars(query):
        settled = row.data.get("settled_at")
        at = datetime.fromisoformat(settled) if settled else row.created_at
        refunded = _refunded(session, row.ref)
        reference, currency = row.data.get("reference", ""), row.data.get("currency", "")
        yield PaymentListed(row.ref, reference, row.amount, refunded, at, currency)


def _refunded(session: Session, payment_ref: str) -> Money:
    query = sa.select(TestGatewayObject.amount).where(
        TestGatewayObject.kind == "refund",
        TestGatewayObject.parent_ref == payment_ref,
        TestGatewayObject.state != "failed",
    )
    return Money.total(session.scalars(query))


def _event(kind: str, payout_ref: str) -> bytes:
    event = {"id": f"tevt_{secrets.token_urlsafe(16)}", "type": kind, "object": payout_ref}
    return json.dumps({**event, "reference": "", "session": "", "payment": ""}).encode()
