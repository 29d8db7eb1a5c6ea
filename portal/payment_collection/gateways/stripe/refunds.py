"""Refunds of payment intents."""

from __future__ import annotations

from datetime import UTC, datetime

import stripe

from portal.kernel.money import Money
from portal.payment_collection.gateways.stripe.client import StripeDoor, call, currency_of
from portal.payment_collection.port.refunds import RefundOrder, RefundSeen, RefundState

STATES = {
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}  # pending and requires_action are still on their way


class StripeRefunds(StripeDoor):
    """Money that goes back the way it came."""

    def give_back(self, order: RefundOrder) -> RefundSeen:
        """Ask for a refund; the reference is the idempotency key, so repeating is safe."""
        refund = call(
            lambda: self._client.v1.refunds.create(
                {
                    "payment_intent": order.payment_ref,
                    "amount": order.amount.cents,
                    "metadata": {"refund": order.reference},
                },
                {"idempotency_key": f"refund:{order.reference}"},
            )
        )
        return _seen(refund)

    def look_up_refund(self, refund_ref: str) -> RefundSeen:
        return _seen(call(lambda: self._client.v1.refunds.retrieve(refund_ref)))

    def refunds_of(self, payment_ref: str) -> list[RefundSeen]:
        """All of them, oldest first."""
        found = call(
            lambda: list(
                self._client.v1.refunds.list(
                    {"payment_intent": payment_ref, "limit": 100}
                ).auto_paging_iter()
            )
        )
        return [_seen(one) for one in reversed(found)]


def _seen(refund: stripe.Refund) -> RefundSeen:
    intent = refund.payment_intent
    metadata = refund.metadata
    state = STATES.get(refund.status or "", RefundState.IN_TRANSIT)
    if getattr(refund, "failure_balance_transaction", None):
        state = RefundState.FAILED  # the money is back, whatever the status says
    return RefundSeen(
        state=state,
        refund_ref=refund.id,
        reference=metadata["refund"] if metadata and "refund" in metadata else "",
        payment_ref=intent if isinstance(intent, str) else (intent.id if intent else ""),
        amount=Money(refund.amount),
        failure=_failure_words(refund) if state is RefundState.FAILED else "",
        moved_at=datetime.fromtimestamp(refund.created, UTC),
        currency=currency_of(refund),
    )


def _failure_words(refund: stripe.Refund) -> str:
    reason = getattr(refund, "failure_reason", None) or refund.status or "failed"
    return f"the card processor says: {reason.replace('_', ' ')}"
