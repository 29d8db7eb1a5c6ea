"""Disputes of the TEST GATEWAY: buttons stand for the payer, their bank and its decision."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from portal.db import own_transaction, reading
from portal.db.base import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import TestGatewayObject
from portal.payment_collection.gateways.test_gateway.base import (
    TestDoor,
    event_about,
    object_by,
    objects_of,
)
from portal.payment_collection.gateways.test_gateway.refunds import left_of, paid_by
from portal.payment_collection.port.disputes import DisputeSeen
from portal.payment_collection.port.payouts import MovementSeen

FEE = Money.of("15.00")
TIME_TO_ANSWER = timedelta(days=9)
LIVE = {"inquiry", "open", "under_review"}
BEGINS = {"inquire": ("inquiry", 1), "dispute": ("open", 1), "dispute-half": ("open", 2)}
DECIDES = {  # button → (states it is there in, state it leads to)
    "escalate": ({"inquiry"}, "open"),
    "inquiry-closes": ({"inquiry"}, "closed"),
    "dispute-won": ({"open", "under_review"}, "won"),
    "dispute-lost": ({"open", "under_review"}, "lost"),
}
CREATED, CLOSED = "charge.dispute.created", "charge.dispute.closed"
WITHDRAWN, REINSTATED = "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"
REPORTS = {
    "inquire": [CREATED], "dispute": [CREATED, WITHDRAWN], "dispute-half": [CREATED, WITHDRAWN],
    "escalate": ["charge.dispute.updated", WITHDRAWN], "inquiry-closes": [CLOSED],
    "dispute-won": [REINSTATED, CLOSED], "dispute-lost": [CLOSED],
}  # fmt: skip


class TestDisputes(TestDoor):
    """Takes the money and a fee when a dispute begins, gives the money back when it is won."""

    def look_up_dispute(self, dispute_ref: str) -> DisputeSeen:
        with reading(), Session(db.engine) as session:
            return _seen(session, _known(session, dispute_ref))

    def answer_dispute(
        self, dispute_ref: str, words: Mapping[str, str], pdf: bytes, reference: str
    ) -> DisputeSeen:
        """Keeps what it was told; a second answer with another reference is refused."""
        with own_transaction() as session:
            known = _known(session, dispute_ref)
            if known.data.get("answer", {"reference": reference})["reference"] != reference:
                raise OutsideFailure("TEST GATEWAY: it was answered already.", permanent=True)
            if known.state not in LIVE:
                raise OutsideFailure("TEST GATEWAY: it is decided already.", permanent=True)
            answer = {"reference": reference, "words": dict(words), "bytes": len(pdf)}
            known.data = {**known.data, "answer": answer}
            if known.state == "open":
                known.state = "under_review"
            session.flush()
            return _seen(session, known)

    def press_dispute(self, payment_ref: str, button: str) -> list[bytes]:
        """A button about the dispute of a payment. Raises DomainError when it is past that."""
        with own_transaction() as session:
            dispute = _begin(session, payment_ref, button) if button in BEGINS else None
            dispute = dispute or _decide(session, payment_ref, button)
            if WITHDRAWN in REPORTS[button]:
                _move(session, dispute, -dispute.amount, FEE, "dispute")
            if REINSTATED in REPORTS[button]:
                _move(session, dispute, dispute.amount, ZERO, "dispute_reversal")
            return [
                event_about(kind, payment_ref=payment_ref, object_ref=dispute.ref)
                for kind in REPORTS[button]
            ]


def _known(session: Any, dispute_ref: str) -> TestGatewayObject:
    known = object_by(session, TestGatewayObject.ref, dispute_ref)
    if known is None:
        raise OutsideFailure("TEST GATEWAY: no such dispute.", permanent=True, missing=True)
    return known


def _begin(session: Any, payment_ref: str, button: str) -> TestGatewayObject:
    state, parts = BEGINS[button]
    paid = paid_by(session, payment_ref)
    before = objects_of(session, "dispute", payment_ref)
    amount = Money(left_of(session, paid).cents // parts) if paid else ZERO
    if amount <= ZERO or any(one.state in LIVE for one in before):
        raise DomainError("This test payment cannot be disputed now.")
    dispute = TestGatewayObject(
        ref=f"tdp_{payment_ref}" + (f"-{len(before) + 1}" if before else ""),
        kind="dispute",
        parent_ref=payment_ref,
        state=state,
        amount=amount,
        data={
            "answer_by": (clock.now() + TIME_TO_ANSWER).isoformat(),
            "currency": paid.currency if paid else "",
        },
    )
    session.add(dispute)
    session.flush()
    return dispute


def _decide(session: Any, payment_ref: str, button: str) -> TestGatewayObject:
    allowed, state = DECIDES.get(button, (set(), ""))
    for dispute in objects_of(session, "dispute", payment_ref):
        if dispute.state in allowed:
            dispute.state = state
            return dispute
    raise DomainError("This test dispute is past that step.")


def _move(session: Any, dispute: TestGatewayObject, amount: Money, fee: Money, kind: str) -> None:
    session.add(
        TestGatewayObject(
            ref=f"tbt_{secrets.token_urlsafe(12)}",
            kind="dispute_movement",
            parent_ref=dispute.ref,
            state=kind,
            amount=amount,
            data={"fee": fee.cents, "moved_at": clock.now().isoformat(),
                  "payment_ref": dispute.parent_ref,
                  "currency": dispute.data.get("currency", "")},
        )
    )  # fmt: skip
    session.flush()


def _seen(session: Any, row: TestGatewayObject) -> DisputeSeen:
    moved = objects_of(session, "dispute_movement", row.ref)
    return DisputeSeen(
        dispute_ref=row.ref,
        payment_ref=row.parent_ref,
        amount=row.amount,
        reason="test dispute",
        outcome=row.state,
        answer_by=datetime.fromisoformat(row.data["answer_by"]),
        movements=tuple(movement_of(one) for one in moved),
        currency=row.data.get("currency", ""),
        answered="answer" in row.data,
    )


def movement_of(row: TestGatewayObject) -> MovementSeen:
    """A kept balance transaction of a dispute as the port says it."""
    return MovementSeen(
        movement_ref=row.ref,
        kind=row.state,
        amount=row.amount,
        fee=Money(row.data["fee"]),
        moved_at=datetime.fromisoformat(row.data["moved_at"]),
        payment_ref=row.data["payment_ref"],
        source_ref=row.parent_ref,
        currency=row.data.get("currency", ""),
    )
