"""The payment of the demo that its payer's bank disputes."""

from __future__ import annotations

from datetime import timedelta

from portal.audit import record
from portal.db import db
from portal.kernel import clock
from portal.ledger import Leg, post_entry
from portal.models import (
    AccountRole,
    Dispute,
    DisputeMovement,
    Payment,
    TestGatewayObject,
)


def dispute_at_gateway(payment: Payment) -> None:
    """The payer's bank holds this money; the same on both sides, as a webhook would have told."""
    ref, now = f"tdp_{payment.provider_ref}", clock.now()
    moved = f"tbt_{ref}"  # the payment's own movement is named after the payment
    answer_by, amount = now + timedelta(days=9), payment.amount
    dispute = Dispute(
        gateway="test", dispute_ref=ref, payment_id=payment.id, amount=amount, held=amount,
        reason="product not received", answer_by=answer_by,
    )  # fmt: skip
    db.session.add(dispute)
    db.session.flush()
    movement = DisputeMovement(
        dispute_id=dispute.id, movement_ref=moved, amount=-amount, moved_at=now
    )
    db.session.add_all(
        [
            movement,
            TestGatewayObject(ref=ref, kind="dispute", parent_ref=payment.provider_ref,
                              state="open", amount=amount,
                              data={"answer_by": answer_by.isoformat()}),
            TestGatewayObject(ref=moved, kind="dispute_movement", parent_ref=ref,
                              state="dispute", amount=-amount,
                              data={"fee": 0, "moved_at": now.isoformat(),
                                    "payment_ref": payment.provider_ref}),
        ]
    )  # fmt: skip
    db.session.flush()
    said = f"The payer's bank disputes {amount}: {dispute.reason}."
    record("disputed", dispute, said)
    record("disputed", payment, said)
    payment.disputed = True
    post_entry(
        on=payment.received_on, memo=f"Dispute {ref}: held",
        source=("disputemovement", movement.id),
        legs=[Leg(AccountRole.DISPUTED, amount), Leg(payment.type.account_id, -amount)],
    )  # fmt: skip
