"""Balance transactions and payouts: what Stripe moved, kept as its fee and paid out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import stripe
from stripe.params import BalanceTransactionListParams, PaymentIntentListParams, PayoutListParams

from portal.kernel.money import ZERO, Money
from portal.models import MovementKind
from portal.payment_collection.gateways.stripe.checkouts import received_at_of
from portal.payment_collection.gateways.stripe.client import StripeDoor, call, currency_of, failure
from portal.payment_collection.port.payouts import MovementSeen, PaymentListed, PayoutSeen

AT_A_TIME = 100  # the most Stripe lists on one page
KINDS = {  # Stripe's reporting categories; any other is for a person to look at
    "charge": MovementKind.CHARGE,
    "refund": MovementKind.REFUND,
    "refund_failure": MovementKind.REFUND_FAILURE,
    "dispute": MovementKind.DISPUTE,
    "dispute_reversal": MovementKind.DISPUTE_REVERSAL,
    "fee": MovementKind.FEE,
    "network_cost": MovementKind.FEE,
    "tax": MovementKind.FEE,
    "other_adjustment": MovementKind.ADJUSTMENT,
    "payout": MovementKind.PAYOUT,
    "payout_reversal": MovementKind.PAYOUT_REVERSAL,
}
STATES = {"paid": "paid", "failed": "failed", "canceled": "failed"}


class StripePayouts(StripeDoor):
    """Lists page themselves; a list that breaks off raises OutsideFailure."""

    def look_up_payout(self, payout_ref: str) -> PayoutSeen:
        return _payout(call(lambda: self._client.v1.payouts.retrieve(payout_ref)))

    def payouts_between(self, start: datetime, end: datetime) -> Iterator[PayoutSeen]:
        wanted: PayoutListParams = {"created": _between(start, end), "limit": AT_A_TIME}
        found = call(lambda: self._client.v1.payouts.list(wanted))
        return (_payout(one) for one in _every(found))

    def movements_of(self, payout_ref: str) -> Iterator[MovementSeen]:
        """Empty for a payout somebody made by hand: Stripe links automatic ones only."""
        return self._movements({"payout": payout_ref}, payout_ref)

    def movements_between(self, start: datetime, end: datetime) -> Iterator[MovementSeen]:
        return self._movements({"created": _between(start, end)}, "")

    def payments_between(self, start: datetime, end: datetime) -> Iterator[PaymentListed]:
        """Payments that were begun in that time and brought money."""
        wanted: PaymentIntentListParams = {
            "created": _between(start, end),
            "limit": AT_A_TIME,
            "expand": ["data.latest_charge.balance_transaction"],
        }
        found = call(lambda: self._client.v1.payment_intents.list(wanted))
        return (_listed(one) for one in _every(found) if one.amount_received)

    def _movements(
        self, which: BalanceTransactionListParams, payout_ref: str
    ) -> Iterator[MovementSeen]:
        wanted: BalanceTransactionListParams = {
            **which, "limit": AT_A_TIME, "expand": ["data.source"],
        }  # fmt: skip
        found = call(lambda: self._client.v1.balance_transactions.list(wanted))
        return (_movement(one, payout_ref) for one in _every(found))


def _between(start: datetime, end: datetime) -> Any:
    return {"gte": int(start.timestamp()), "lt": int(end.timestamp())}


def _every(found: Any) -> Iterator[Any]:
    """Each row of a list, page after page, with our errors."""
    try:
        yield from found.auto_paging_iter()
    except stripe.StripeError as error:
        raise failure(error) from error


def _payout(payout: stripe.Payout) -> PayoutSeen:
    return PayoutSeen(
        payout_ref=payout.id,
        amount=Money(payout.amount),
        arrives_on=_day(payout.arrival_date),
        state=STATES.get(payout.status, "on_its_way"),
        failure=getattr(payout, "failure_message", None) or "",
        currency=currency_of(payout),
    )


def _movement(moved: stripe.BalanceTransaction, payout_ref: str) -> MovementSeen:
    source = moved.source
    known = None if isinstance(source, str) else source
    intent = getattr(known, "payment_intent", None)
    return MovementSeen(
        movement_ref=moved.id,
        kind=KINDS.get(moved.reporting_category, MovementKind.OTHER).value,
        amount=Money(moved.amount),
        fee=Money(moved.fee),
        moved_at=datetime.fromtimestamp(moved.created, UTC),
        payment_ref=intent if isinstance(intent, str) else getattr(intent, "id", "") or "",
        source_ref=source if isinstance(source, str) else getattr(known, "id", "") or "",
        payout_ref=payout_ref,
        currency=currency_of(moved),
    )


def _listed(intent: stripe.PaymentIntent) -> PaymentListed:
    charge = getattr(intent, "latest_charge", None)
    known = None if isinstance(charge, str) else charge
    metadata = getattr(intent, "metadata", None)
    refunded = getattr(known, "amount_refunded", None)
    return PaymentListed(
        payment_ref=intent.id,
        reference=(metadata["attempt"] if metadata and "attempt" in metadata else ""),
        received=Money(intent.amount_received or 0),
        refunded=Money(refunded) if refunded else ZERO,
        received_at=received_at_of(intent),
        currency=currency_of(intent),
    )


def _day(seconds: int) -> date:
    """Stripe names a day by its midnight in UTC."""
    return datetime.fromtimestamp(seconds, UTC).date()
