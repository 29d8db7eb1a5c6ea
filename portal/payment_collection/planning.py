"""Planning autopay: every invoice that becomes due gets one charge, announced beforehand.

A charge by autopay is announced `notice_days` before, or it does not happen: the notice sets
the day, and a notice that goes out late moves the day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import NO_MONEY, db, in_transaction, insert_once, lock_rows
from portal.kernel import clock
from portal.models import (
    HAS_BALANCE,
    LIVE_CHARGES,
    ON_THE_BOOKS,
    Autopay,
    AutopayMoment,
    ChargeSource,
    ChargeState,
    Consent,
    Dispute,
    Invoice,
    PaymentAttempt,
    PlannedCharge,
)
from portal.payment_collection.autopay import autopay_of, method_for
from portal.payment_collection.charge_letters import no_address_for, write_notice
from portal.payment_collection.charge_words import NO_ADDRESS, NO_METHOD, keep_outcome
from portal.payment_collection.deciding import why_held
from portal.payment_collection.gateway import has_gateway
from portal.payment_collection.outcomes import give_up
from portal.payment_collection.rules import collection_rules

UNTRIED = (ChargeState.WAITING, ChargeState.FAILED)  # its next try is announced
MOST_AT_ONCE = 2_000  # invoices planned in one turn; the rest in the next


def plan_autopay() -> None:
    """Once an hour: plan what autopay will charge, then send the notices that are due."""
    if not has_gateway():
        return
    pairs = db.session.execute(_unplanned()).all()
    db.session.rollback()
    for autopay_id, rows in groupby(pairs, key=lambda pair: pair[0]):
        ids = [invoice_id for _, invoice_id in rows]
        in_transaction(lambda: _plan(autopay_id, ids))  # noqa: B023
    for charge_id in _to_announce():
        in_transaction(lambda: _announce(charge_id))  # noqa: B023


def day_of(autopay: Autopay, invoice: Invoice, *, notice_days: int) -> date:
    """When it is charged: on the agreed day, but never before the notice has run its time."""
    agreed = invoice.due_date
    if autopay.moment is AutopayMoment.INVOICE_DATE or agreed is None:
        agreed = invoice.invoice_date
    earliest = today() + timedelta(days=notice_days)
    return max(agreed or earliest, earliest)


def _unplanned() -> sa.Select[int, int]:
    """Final invoices with a balance, of customers with autopay, that nothing is planned for.

    What was given up since they agreed is not planned again, and what a person called off never
    is, whatever is agreed later. What was charged, or cancelled because it was paid, and is owed
    again (a check bounced, a line was added) is planned and announced anew; not when the payer's
    bank disputed what autopay took for it: who says no is not charged again unasked.
    """
    planned = sa.exists().where(
        PlannedCharge.invoice_id == Invoice.id,
        sa.or_(
            PlannedCharge.state.in_(LIVE_CHARGES),
            sa.and_(
                PlannedCharge.state == ChargeState.GIVEN_UP,
                PlannedCharge.created_at >= Consent.created_at,
            ),
            PlannedCharge.called_off,
            PlannedCharge.attempt.has(PaymentAttempt.payment_id.in_(sa.select(Dispute.payment_id))),
        ),
    )
    return (
        sa.select(Autopay.id, Invoice.id)
        .join(Invoice, Invoice.customer_id == Autopay.customer_id)
        .join(Consent, Consent.id == Autopay.consent_id)
        .where(
            Autopay.active,
            HAS_BALANCE,
            Invoice.balance > NO_MONEY,
            Invoice.state.in_(ON_THE_BOOKS),
            Invoice.invoice_date >= Autopay.starts_on,
            ~planned,
        )
        .order_by(Autopay.id, Invoice.id)
        .limit(MOST_AT_ONCE)
    )


def _plan(autopay_id: int, invoice_ids: Sequence[int]) -> None:
    """Write the charges down; the autopay's lock keeps it from being turned off meanwhile."""
    autopay = lock_rows(Autopay, [autopay_id])[0]
    if not autopay.active:
        return
    notice_days = collection_rules().notice_days
    invoices = db.session.scalars(
        sa.select(Invoice).where(Invoice.id.in_(invoice_ids)).order_by(Invoice.id)
    )
    for invoice in invoices.all():
        day = day_of(autopay, invoice, notice_days=notice_days)
        charge = PlannedCharge(
            customer_id=autopay.customer_id,
            source=ChargeSource.AUTOPAY,
            invoice_id=invoice.id,
            amount=invoice.balance,
            charge_on=day,
            next_try_on=day,
        )
        if insert_once(charge):
            record("planned", invoice, f"Autopay charges it on {day:%Y-%m-%d}.")


def _to_announce() -> list[int]:
    last = today() + timedelta(days=collection_rules().notice_days)
    found = db.session.scalars(
        sa.select(PlannedCharge.id)
        .where(
            PlannedCharge.source == ChargeSource.AUTOPAY,
            PlannedCharge.state.in_(UNTRIED),
            PlannedCharge.noticed_at.is_(None),
            PlannedCharge.next_try_on <= last,
        )
        .order_by(PlannedCharge.id)
    ).all()
    db.session.rollback()
    return list(found)


def _announce(charge_id: int) -> None:
    """Tell the customer amount, day, method and how to stop it; then it may be charged.

    What may not be charged at the moment is not announced either.
    """
    charge = lock_rows(PlannedCharge, [charge_id])[0]
    invoice, autopay = charge.invoice, autopay_of(charge.customer_id)
    done = charge.noticed_at is not None or charge.state not in UNTRIED
    if done or invoice is None or autopay is None or not invoice.balance:
        return
    if why_held(invoice):
        return  # announced when that is over
    method = method_for(autopay)
    if method is None:
        give_up(charge, NO_METHOD.why())
    elif no_address_for(charge.customer):
        keep_outcome(charge, NO_ADDRESS.why())
    else:
        earliest = today() + timedelta(days=collection_rules().notice_days)
        charge.charge_on = charge.next_try_on = max(charge.charge_on, earliest)
        charge.amount, charge.noticed_at = invoice.balance, clock.now()
        keep_outcome(charge, "")
        write_notice(charge, method)
