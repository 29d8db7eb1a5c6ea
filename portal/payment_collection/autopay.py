"""Autopay: a customer's standing consent to charge what becomes due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record
from portal.company import today
from portal.db import db, insert_once, lock_rows
from portal.invoices import open_invoices
from portal.kernel import clock
from portal.kernel.errors import Conflict, DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.models import (
    CHARGE,
    Autopay,
    AutopayMoment,
    ChargeSource,
    ChargeState,
    Consent,
    ConsentKind,
    Customer,
    PlannedCharge,
    SavedMethod,
)
from portal.payment_collection.autopay_words import AgreedBy, autopay_text
from portal.payment_collection.charge_words import keep_outcome
from portal.payment_collection.consents import ConsentGiven, keep_consent, seal_of
from portal.payment_collection.methods import method_of, primary_method, why_not
from portal.payment_collection.rules import collection_rules


@dataclass(frozen=True)
class AutopayWords:
    """What is agreed. `method_id` None is the primary one at the moment of each charge."""

    moment: AutopayMoment = AutopayMoment.DUE_DATE
    method_id: int | None = None
    most: Money | None = None
    starts_on: date | None = None  # invoices from this day on; None: as agreed now, else today


def autopay_of(customer_id: int) -> Autopay | None:
    """The customer's row, on or off; None when it was never on."""
    query = (
        sa.select(Autopay)
        .where(Autopay.customer_id == customer_id)
        .options(joinedload(Autopay.method), joinedload(Autopay.consent))
    )
    return db.session.scalar(query)


def method_for(autopay: Autopay) -> SavedMethod | None:
    """What would be charged now: the chosen one while it is good, else none; or the primary."""
    method = autopay.method if autopay.method_id else primary_method(autopay.customer_id)
    return method if method is not None and not why_not(method) else None


def consent_to(customer: Customer, words: AutopayWords, language: str) -> str:
    """The text shown and kept; refused like turning it on, so that nobody reads in vain."""
    _check(customer, words)
    chosen = method_of(customer.id, words.method_id).label if words.method_id else ""
    return autopay_text(
        method=chosen,
        moment=words.moment,
        most=words.most,
        starts_on=_start(words, autopay_of(customer.id)),
        notice_days=collection_rules().notice_days,
        language=language,
    )


def charges_open_ones(customer_id: int) -> bool:
    """Whether autopay is on for every invoice that is open now."""
    autopay = autopay_of(customer_id)
    if autopay is None or not autopay.active:
        return False
    return autopay.starts_on <= _first_open_day(customer_id)


def first_day(customer_id: int, *, with_open: bool) -> date | None:
    """From which day on invoices are charged: the oldest open one's, or as it is now (None).

    Taking the open ones out again (`charges_open_ones`) begins today.
    """
    covered, oldest = charges_open_ones(customer_id), _first_open_day(customer_id)
    if with_open:
        return None if covered else oldest
    return today() if covered else None


def _first_open_day(customer_id: int) -> date:
    days = [one.invoice_date for one in open_invoices(customer_id) if one.invoice_date]
    return min([*days, today()])


def turn_on(customer: Customer, words: AutopayWords, given: AgreedBy, *, seal: str = "") -> Autopay:
    """Turn autopay on, or agree to other terms of it; the consent before is taken back.

    Agreeing to the same words again changes nothing: one consent, and what waits goes on.

    `seal` (`seal_of`) says which text was shown: Conflict when it is not what is agreed to now.
    InvalidFields for a bound that is no amount, DomainError without a method to charge.
    """
    agreed = consent_to(customer, words, given.language)
    if seal and seal != seal_of(agreed):
        raise Conflict("What you agree to has changed meanwhile. Please read it again.")
    if not given.given_by.strip():
        raise InvalidFields({"given_by": "Say who agreed, and how: by phone, by signed letter."})
    autopay = _row_of(customer)
    starts_on = _start(words, autopay)
    if autopay is not None and _agreed_already(autopay, words, agreed):
        return autopay
    consent = _kept(customer, agreed, given)
    if autopay is None:
        autopay = _insert(customer, consent, starts_on)
    elif autopay.active:
        _withdraw(autopay, "Other terms were agreed.")
    _write(autopay, words, consent, starts_on)
    record("turned on", customer, f"Autopay was turned on by {consent.given_by}.")
    return autopay


def turn_off(customer: Customer, *, because: str) -> bool:
    """Take the consent back and cancel what waits; False when it was off already.

    A charge that has begun runs to its end.
    """
    autopay = _row_of(customer)
    if autopay is None or not autopay.active:
        return False
    _withdraw(autopay, because)
    autopay.active, autopay.stopped_because = False, because[:300]
    record("turned off", customer, f"Autopay was turned off: {because}")
    return True


def _agreed_already(autopay: Autopay, words: AutopayWords, text: str) -> bool:
    """Whether it is on by these very words; two methods may share a label."""
    same = autopay.consent.text == text and autopay.method_id == words.method_id
    return autopay.active and same


def _kept(customer: Customer, text: str, given: AgreedBy) -> Consent:
    return keep_consent(
        ConsentGiven(
            customer=customer,
            kind=ConsentKind.AUTOPAY,
            text=text,
            language=given.language,
            given_by=given.given_by.strip()[:300],
            address=given.address,
            agent=given.agent,
        )
    )


def _row_of(customer: Customer) -> Autopay | None:
    row_id = db.session.scalar(sa.select(Autopay.id).where(Autopay.customer_id == customer.id))
    return lock_rows(Autopay, [row_id])[0] if row_id else None


def _check(customer: Customer, words: AutopayWords) -> None:
    if words.most is not None and words.most <= ZERO:
        raise InvalidFields({"most": "Give an amount above zero, or leave it empty."})
    method = (
        method_of(customer.id, words.method_id) if words.method_id else primary_method(customer.id)
    )
    if method is None:
        raise DomainError("Save a card or a bank account first.")
    if problem := why_not(method):
        raise DomainError(problem)


def _start(words: AutopayWords, autopay: Autopay | None) -> date:
    """Changing the terms keeps the first day, so that what waits by it goes on."""
    kept = autopay.starts_on if autopay is not None and autopay.active else today()
    return words.starts_on or kept


def _insert(customer: Customer, consent: Consent, starts_on: date) -> Autopay:
    autopay = Autopay(customer_id=customer.id, consent_id=consent.id, starts_on=starts_on)
    if not insert_once(autopay):
        raise Conflict("Somebody else turned autopay on at this moment. Look at it again.")
    return autopay


def _write(autopay: Autopay, words: AutopayWords, consent: Consent, starts_on: date) -> None:
    autopay.active, autopay.stopped_because = True, ""
    autopay.moment, autopay.method_id, autopay.most = words.moment, words.method_id, words.most
    autopay.starts_on = starts_on
    autopay.consent = consent
    db.session.flush()


def _withdraw(autopay: Autopay, because: str) -> None:
    """The consent ends now; charges that wait by it are cancelled, in the order of their ids."""
    autopay.consent.revoked_at = clock.now()
    waiting = db.session.scalars(
        sa.select(PlannedCharge.id).where(
            PlannedCharge.customer_id == autopay.customer_id,
            PlannedCharge.source == ChargeSource.AUTOPAY,
            PlannedCharge.state.in_([ChargeState.WAITING, ChargeState.FAILED]),
        )
    ).all()
    for charge in lock_rows(PlannedCharge, waiting):
        if CHARGE.allows(charge.state, "cancel"):
            charge.state = CHARGE.after(charge.state, "cancel")
            charge.next_try_on = None
            keep_outcome(charge, because[:300])
