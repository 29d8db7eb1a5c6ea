"""The worker's part of planned charges: leased, decided, tried once, noted.

The try is written down in the very transaction that keeps its attempt, before the gateway
hears of it: after a crash anywhere the attempt is found out, and no second one is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.company import today
from portal.db import claim, db, in_transaction, lock_rows, reading
from portal.invoices import InvoiceChanged
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import (
    CHARGE,
    AttemptPurpose,
    AttemptState,
    ChargeSource,
    ChargeState,
    PaymentAttempt,
    PlannedCharge,
)
from portal.payment_collection.attempts import ChargeEnded
from portal.payment_collection.charge_words import keep_outcome
from portal.payment_collection.charging import ChargeWanted, charge_method
from portal.payment_collection.deciding import Decision, Verdict, decide, decided_sources
from portal.payment_collection.gateway import has_gateway
from portal.payment_collection.outcomes import give_up, note_outcome
from portal.payment_collection.rules import collection_rules
from portal.payments import receipt_address
from portal.tasks import lease, wake

BEFORE = (ChargeState.WAITING, ChargeState.FAILED)
PAUSE = timedelta(hours=1)  # until a charge that was held is looked at again
MOST_AT_ONCE = 500


def waiting_charges() -> Iterable[int]:
    """Charges whose day has come, and those whose attempt ended without anybody noting it."""
    if not has_gateway():
        return []
    free = sa.or_(PlannedCharge.claimed_until.is_(None), PlannedCharge.claimed_until <= clock.now())
    due = sa.select(PlannedCharge.id).where(
        PlannedCharge.next_try_on <= today(),
        PlannedCharge.state.in_(BEFORE),
        PlannedCharge.source.in_([one for one in decided_sources() if one != ChargeSource.BULK]),
        free,
    )
    ended = (
        sa.select(PlannedCharge.id)
        .join(PaymentAttempt, PaymentAttempt.id == PlannedCharge.attempt_id)
        .where(
            sa.or_(
                sa.and_(
                    PlannedCharge.state == ChargeState.CHARGING,
                    PaymentAttempt.state.in_([AttemptState.FAILED, AttemptState.EXPIRED]),
                ),
                sa.and_(
                    PlannedCharge.state.in_([ChargeState.CHARGING, ChargeState.FAILED]),
                    PaymentAttempt.state == AttemptState.SUCCEEDED,
                ),
            )
        )
    )
    rows = sa.union(due, ended).subquery()
    return db.session.scalars(sa.select(rows.c.id).order_by(rows.c.id).limit(MOST_AT_ONCE)).all()


def look_at_charge(charge_id: int) -> None:
    """One look of the worker: note how it ended, or carry it out when its day has come.

    What waits in a bulk charge is carried out by its run alone, which somebody may stop.
    """
    state = in_transaction(lambda: note_outcome(charge_id))
    with reading():
        source = db.session.get_one(PlannedCharge, charge_id).source
        db.session.rollback()
    if state in BEFORE and source is not ChargeSource.BULK:
        carry_out_planned(charge_id)


def carry_out_planned(charge_id: int) -> None:
    """Try a charge once, unless it is not its day or everything speaks against it.

    Safe to call twice, by two workers, and after a crash. Ends the session's transaction.
    """
    if not lease(PlannedCharge, charge_id, states=BEFORE):
        db.session.rollback()
        return
    db.session.commit()
    with reading():
        charge = _fresh(charge_id)
        due = charge.source is ChargeSource.BULK or (
            charge.next_try_on is not None and charge.next_try_on <= today()
        )
        decision, wanted = decide(charge), None
        if decision.verdict is Verdict.CHARGE and due:
            wanted = _wanted(charge, decision)
        held = charge.claimed_until
        db.session.rollback()
    if wanted is None:
        in_transaction(lambda: _put_off(charge_id, decision, held, due=due))
        return
    try:
        charge_method(wanted, linked=lambda attempt: _link(charge_id, attempt))
    except DomainError as refusal:  # somebody pays or changes it at this moment: decide anew
        words = str(refusal)
        in_transaction(lambda: _refused(charge_id, words, held))
        return
    in_transaction(lambda: note_outcome(charge_id))


def note_ended_charge(event: ChargeEnded) -> None:
    """The gateway's word came, perhaps days later: the worker notes it on the planned charge."""
    query = sa.select(PlannedCharge.id).where(PlannedCharge.attempt_id == event.attempt.id)
    for charge_id in db.session.scalars(query):
        wake("planned_charge", charge_id)


def look_again_at_charges(event: InvoiceChanged) -> None:
    """An invoice that was paid or cancelled another way cancels its waiting charge, soon."""
    invoice = event.invoice
    if invoice.balance and invoice.is_on_the_books:
        return
    for charge_id in db.session.scalars(_BEFORE_ON, {"invoice_id": invoice.id}):
        wake("planned_charge", charge_id)


_CHARGES = cast(sa.Table, PlannedCharge.__table__).c
_BEFORE_ON = sa.select(_CHARGES.id).where(  # built once: asked by whatever pays an invoice
    _CHARGES.invoice_id == sa.bindparam("invoice_id"), _CHARGES.state.in_(BEFORE)
)


def _link(charge_id: int, attempt: PaymentAttempt) -> None:
    """In the transaction that keeps the attempt. Conflict when the charge was cancelled or
    tried by another worker meanwhile: then no attempt is kept either."""
    charge = db.session.get_one(PlannedCharge, charge_id, populate_existing=True)
    verb_leads_to = CHARGE.after(charge.state, "charge")
    claim(
        charge,
        state=verb_leads_to,
        attempt_id=attempt.id,
        tries=charge.tries + 1,
        claimed_until=None,
    )
    keep_outcome(charge, "")


def _wanted(charge: PlannedCharge, decision: Decision) -> ChargeWanted:
    customer = charge.customer
    return ChargeWanted(
        customer_id=charge.customer_id,
        method_id=decision.method_id,
        shares=list(decision.shares),
        purpose=AttemptPurpose(charge.source.value),
        started_by=f"bulk charge {charge.run_id}" if charge.run_id else charge.source.value,
        email=receipt_address(customer),
        language=customer.language,
    )


def _put_off(charge_id: int, decision: Decision, held: datetime | None, *, due: bool) -> None:
    charge = lock_rows(PlannedCharge, [charge_id])[0]
    if charge.state not in BEFORE or charge.claimed_until != held:
        return
    charge.claimed_until = None
    match decision.verdict:
        case Verdict.CANCEL:
            charge.state = CHARGE.after(charge.state, "cancel")
            charge.next_try_on = None
            keep_outcome(charge, decision.words)
        case Verdict.GIVE_UP if due:
            give_up(charge, decision.words)
        case Verdict.ANNOUNCE if due:
            charge.noticed_at = None
            keep_outcome(charge, decision.words)
            charge.charge_on = today() + timedelta(days=collection_rules().notice_days)
            charge.next_try_on = charge.charge_on
        case Verdict.HOLD if due:
            charge.claimed_until = clock.now() + PAUSE
            keep_outcome(charge, decision.words)


def _refused(charge_id: int, words: str, held: datetime | None) -> None:
    """Looked at again after a pause; a bulk charge has one try, and this was none."""
    charge = lock_rows(PlannedCharge, [charge_id])[0]
    if charge.state not in BEFORE or charge.claimed_until != held:
        return
    charge.claimed_until = clock.now() + PAUSE
    keep_outcome(charge, words)
    if charge.source is ChargeSource.BULK:
        charge.state, charge.next_try_on = CHARGE.after(charge.state, "cancel"), None


def _fresh(charge_id: int) -> PlannedCharge:
    query = (
        sa.select(PlannedCharge)
        .where(PlannedCharge.id == charge_id)
        .options(joinedload(PlannedCharge.customer), joinedload(PlannedCharge.invoice))
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).one()
