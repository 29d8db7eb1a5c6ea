"""The company's rules of payment collection as the guard of plans reads them."""

from __future__ import annotations

from portal.payment_collection import collection_rules
from portal.payment_plans.guarding import GuardRails


def guard_rails() -> GuardRails:
    """What the company allows, and whether an administrator declared more to be lawful."""
    rules = collection_rules()
    return GuardRails(
        most_payments=rules.plan_most_payments,
        longest_days=rules.plan_longest_days,
        least_amount=rules.plan_least_amount,
        lawful_process=rules.lawful_process,
    )


def grace_days() -> int:
    return collection_rules().plan_grace_days
