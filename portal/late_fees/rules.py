"""What a term charges for being late: agreed once, for invoices dated from a day on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import sqlalchemy as sa

from portal.audit import record, record_changes
from portal.company import today
from portal.db import bump, db
from portal.kernel.errors import InvalidFields
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models import (
    Customer,
    FeeBase,
    FeeFrequency,
    FeeShape,
    InvoiceKind,
    LateFeeExemption,
    LateFeeLimit,
    LateFeeRule,
    PaymentTerm,
)

CHARGEABLE = (
    InvoiceKind.JOB,
    InvoiceKind.MANUAL,
    InvoiceKind.POINT_OF_SALE,
    InvoiceKind.ADJUSTMENT,
    InvoiceKind.AR_IMPORT,
)
HIGHEST = Rate.percent(100)


@dataclass(frozen=True)
class FeeWords:
    """A rule as typed."""

    active: bool
    shape: FeeShape
    flat: Money
    rate: Rate
    frequency: FeeFrequency
    base: FeeBase
    grace_days: int
    kinds: tuple[str, ...]
    cap: Rate
    applies_from: date


def rule_of(term: PaymentTerm) -> LateFeeRule | None:
    """What a term charges; None when nobody said."""
    query = sa.select(LateFeeRule).where(LateFeeRule.term_id == term.id)
    return db.session.scalars(query).one_or_none()


def save_rule(term: PaymentTerm, words: FeeWords, *, version: int = 0) -> LateFeeRule:
    """Say what a term charges. Raises InvalidFields, or Conflict when somebody was faster.

    A rule that became stricter binds invoices dated from its new day on, so `applies_from` may
    not lie before today unless it stays as it was: what is late already agreed to nothing.
    """
    rule = rule_of(term)
    _check(rule, words)
    if rule is None:
        rule = LateFeeRule(term=term, **_values(words))
        db.session.add(rule)
        db.session.flush()
        record("late fees agreed", term, f"Late fees of {term.name}: {rule_words(rule)}.")
        return rule
    bump(rule, version)
    before = _values_of(rule)
    for name, value in _values(words).items():
        setattr(rule, name, value)
    sentence = f"Late fees of {term.name} were changed: {rule_words(rule)}."
    record_changes(term, sentence, before, _values_of(rule))
    return rule


def rule_words(rule: LateFeeRule) -> str:
    """What is charged, in one sentence as a customer reads it; a monthly rate as its APR."""
    if not rule.active:
        return "no late fees"
    percent = f"{rule.rate.as_percent.normalize():f}%"
    yearly = rule.frequency is not FeeFrequency.ONCE
    share = f"{percent} per year (APR)" if yearly else f"{percent} of what is owed"
    what = {
        FeeShape.FLAT: f"{rule.flat}",
        FeeShape.PERCENT: share,
        FeeShape.GREATER: f"the greater of {rule.flat} and {share}",
    }[rule.shape]
    often = {
        FeeFrequency.ONCE: "once",
        FeeFrequency.DAILY: "each day",
        FeeFrequency.MONTHLY: "each month",
    }[rule.frequency]
    grace = f"from {rule.grace_days + 1} days past due on"
    cap = f", at most {rule.cap.as_percent.normalize():f}% of the invoice" if rule.cap else ""
    return f"{what}, charged {often} {grace}{cap}"


def exempt(customer: Customer, *, because: str) -> None:
    """Charge this customer no late fees. InvalidFields without a reason."""
    if not because.strip():
        raise InvalidFields({"because": "Say why this customer is exempt."})
    row = exemption_of(customer)
    if row is None:
        row = LateFeeExemption(customer_id=customer.id)
        db.session.add(row)
    row.because = because.strip()
    record("exempt from late fees", customer, f"No late fees are charged: {row.because}")


def end_exemption(customer: Customer) -> None:
    """Charge them as everybody else again; nothing happens when they were not exempt."""
    if row := exemption_of(customer):
        db.session.delete(row)
        record("charged late fees again", customer, "Late fees are charged again.")


def exemption_of(customer: Customer) -> LateFeeExemption | None:
    query = sa.select(LateFeeExemption).where(LateFeeExemption.customer_id == customer.id)
    return db.session.scalars(query).one_or_none()


def limits() -> list[LateFeeLimit]:
    """The yearly limits for consumers, the one for all other states first."""
    return list(db.session.scalars(sa.select(LateFeeLimit).order_by(LateFeeLimit.region)))


def set_limit(region: str, rate: Rate | None) -> None:
    """The most a consumer of a state pays per year; '' is every other state, None removes it."""
    region = region.strip().upper()
    if rate is not None and not ZERO_RATE < rate <= HIGHEST:
        raise InvalidFields({"rate": "Give a rate per year above 0 and up to 100%."})
    row = db.session.scalars(sa.select(LateFeeLimit).where(LateFeeLimit.region == region)).first()
    where = region or "all other states"
    if rate is None:
        if row is not None:
            db.session.delete(row)
            record("removed", row, f"The limit of late fees for {where} was removed.")
        return
    if row is None:
        row = LateFeeLimit(region=region, rate=rate)
        db.session.add(row)
        db.session.flush()
    row.rate = rate
    record("set", row, f"Consumers in {where} pay at most {rate.as_percent.normalize():f}% a year.")


ZERO_RATE = Rate(0)


def _check(rule: LateFeeRule | None, words: FeeWords) -> None:
    errors = {}
    if words.shape is not FeeShape.PERCENT and words.flat <= ZERO:
        errors["flat"] = "Give the flat amount."
    if words.shape is not FeeShape.FLAT and not ZERO_RATE < words.rate <= HIGHEST:
        errors["rate"] = "Give a rate above 0 and up to 100%."
    if not 0 <= words.grace_days <= 365:
        errors["grace_days"] = "Give a number of days from 0 to 365."
    if not words.kinds and words.active:
        errors["kinds"] = "Tick at least one kind of invoice."
    if words.cap < ZERO_RATE or words.cap > HIGHEST:
        errors["cap"] = "Give a share from 0 (no cap) to 100%."
    anew = rule is None or words.applies_from != rule.applies_from or _is_stricter(words, rule)
    if anew and words.applies_from < today():
        errors["applies_from"] = "A fee must be agreed before an invoice is late: not in the past."
    if errors:
        raise InvalidFields(errors)


def _is_stricter(words: FeeWords, rule: LateFeeRule) -> bool:
    """Whether it may cost anybody more than the rule did: then it binds new invoices only."""
    return (
        words.flat > rule.flat
        or words.rate > rule.rate
        or words.grace_days < rule.grace_days
        or _cap(words.cap) > _cap(rule.cap)
        or not set(words.kinds) <= set(rule.kinds)
        or any(getattr(words, name) != getattr(rule, name) for name in WAYS)
    )


WAYS = ("shape", "frequency", "base")  # which of two costs more depends on the invoice


def _cap(cap: Rate) -> Rate:
    return cap or NO_CAP  # none is the highest


NO_CAP = Rate(10**12)


def _values(words: FeeWords) -> dict[str, Any]:
    values = {one.name: getattr(words, one.name) for one in fields(FeeWords)}
    return values | {"kinds": sorted(words.kinds)}


def _values_of(rule: LateFeeRule) -> dict[str, Any]:
    return {one.name: str(getattr(rule, one.name)) for one in fields(FeeWords)}
