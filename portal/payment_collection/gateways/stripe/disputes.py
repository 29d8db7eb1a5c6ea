"""What a payer's bank asks back, and the answer to it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import stripe

from portal.kernel.errors import OutsideFailure
from portal.kernel.money import Money
from portal.payment_collection.gateways.stripe.client import StripeDoor, call, currency_of
from portal.payment_collection.port.disputes import DisputeSeen
from portal.payment_collection.port.payouts import MovementSeen

if TYPE_CHECKING:
    from stripe.params._dispute_update_params import DisputeUpdateParamsEvidence

OUTCOMES = {
    "won": "won",
    "lost": "lost",
    "under_review": "under_review",
    "warning_closed": "closed",
    "prevented": "closed",
}


class StripeDisputes(StripeDoor):
    """Disputes with the balance transactions that really moved."""

    def look_up_dispute(self, dispute_ref: str) -> DisputeSeen:
        found = call(
            lambda: self._client.v1.disputes.retrieve(dispute_ref, {"expand": ["payment_intent"]})
        )
        return _seen(found)

    def answer_dispute(
        self, dispute_ref: str, words: Mapping[str, str], pdf: bytes, reference: str
    ) -> DisputeSeen:
        """Upload the evidence and submit it with the words; repeating with a reference is safe."""
        paper = io.BytesIO(pdf)
        paper.name = "evidence.pdf"
        kept = call(
            lambda: self._client.v1.files.create(
                {"purpose": "dispute_evidence", "file": paper},
                {"idempotency_key": f"evidence:{reference}"},
            )
        )
        evidence = evidence_of(words)
        evidence["uncategorized_file"] = kept.id
        found = call(
            lambda: self._client.v1.disputes.update(
                dispute_ref,
                {"evidence": evidence, "submit": True},
                {"idempotency_key": f"answer:{reference}"},
            )
        )
        return _seen(found)


def evidence_of(words: Mapping[str, str]) -> DisputeUpdateParamsEvidence:
    """Our fields by Stripe's names; what it has no field for goes with the free text."""
    return {
        "product_description": words.get("what_was_sold", ""),
        "service_date": words.get("when", ""),
        "customer_name": words.get("customer_name", ""),
        "customer_email_address": words.get("customer_email", ""),
        "billing_address": words.get("billing_address", ""),
        "access_activity_log": words.get("contact", ""),
        "uncategorized_text": words.get("explanation", ""),
    }


def outcome_of(status: str) -> str:
    """Statuses that begin with "warning" are inquiries: Stripe holds no funds for them."""
    if known := OUTCOMES.get(status):
        return known
    return "inquiry" if status.startswith("warning") else "open"


def _seen(dispute: stripe.Dispute) -> DisputeSeen:
    intent = dispute.payment_intent
    if intent is None:
        raise OutsideFailure("Stripe: the dispute names no payment.")
    due = dispute.evidence_details.due_by if dispute.evidence_details else None
    return DisputeSeen(
        dispute_ref=dispute.id,
        payment_ref=intent if isinstance(intent, str) else intent.id,
        amount=Money(dispute.amount),
        reason=dispute.reason.replace("_", " "),
        outcome=outcome_of(dispute.status),
        answer_by=datetime.fromtimestamp(due, UTC) if due else None,
        movements=tuple(_movement(one) for one in dispute.balance_transactions),
        currency=currency_of(dispute),
        answered=bool(getattr(dispute.evidence_details, "submission_count", 0)),
    )


def _movement(moved: stripe.BalanceTransaction) -> MovementSeen:
    return MovementSeen(
        movement_ref=moved.id,
        kind=moved.reporting_category,
        amount=Money(moved.amount),
        fee=Money(moved.fee),
        moved_at=datetime.fromtimestamp(moved.created, UTC),
        currency=currency_of(moved),
    )
