"""Planned charges as people look at them: what comes, what failed, and the two buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from portal.audit import record
from portal.company import today
from portal.db import NO_MONEY, Page, PageRequest, bump, db, holds, lock_rows, paginate
from portal.kernel import clock
from portal.kernel.errors import Conflict, DomainError, NotFound
from portal.models import (
    CHARGE,
    HAS_BALANCE,
    ON_THE_BOOKS,
    ChargeSource,
    ChargeState,
    Customer,
    Invoice,
    PaymentPlan,
    PlanInstalment,
    PlannedCharge,
    PlanState,
)
from portal.payment_collection.charge_words import keep_outcome
from portal.tasks import wake

ELSEWHERE = {
    ChargeSource.BULK: "It belongs to bulk charge {run}: stop that one instead.",
    ChargeSource.PLAN: "It belongs to a payment plan: end or re-age the plan instead.",
}
_Later = aliased(PlannedCharge)


class ChargeSort(StrEnum):
    """NEEDS_SOMEBODY: failed or held, and nothing was paid since."""

    NEEDS_SOMEBODY = "needs_somebody"
    WAITING = "waiting"
    CHARGING = "charging"
    FAILED = "failed"
    GIVEN_UP = "given_up"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class ChargeFilter:
    """What the list of planned charges is narrowed to."""

    q: str = ""
    state: ChargeSort | None = None
    source: ChargeSource | None = None
    customer_id: int | None = None


def find_charges(wanted: ChargeFilter, page: PageRequest) -> Page[PlannedCharge]:
    """One page, the newest plan first."""
    query = sa.select(PlannedCharge).options(
        joinedload(PlannedCharge.customer),
        joinedload(PlannedCharge.invoice),
        joinedload(PlannedCharge.attempt),
    )
    if wanted.state is ChargeSort.NEEDS_SOMEBODY:
        query = query.where(*_needs_somebody())
    elif wanted.state:
        query = query.where(PlannedCharge.state == ChargeState(wanted.state.value))
    if wanted.source:
        query = query.where(PlannedCharge.source == wanted.source)
    if wanted.customer_id:
        query = query.where(PlannedCharge.customer_id == wanted.customer_id)
    if wanted.q.strip():
        named = sa.select(Customer.id).where(holds(Customer.name, wanted.q))
        query = query.where(PlannedCharge.customer_id.in_(named))
    sorts = {"number": PlannedCharge.id, "day": PlannedCharge.charge_on}
    return paginate(query, page, sorts=sorts, default="-number")


def charges_needing_somebody() -> int:
    """How many planned charges failed or are held, for the first page of the office."""
    query = sa.select(sa.func.count(PlannedCharge.id)).where(*_needs_somebody())
    return db.session.scalar(query) or 0


def get_charge(charge_id: int) -> PlannedCharge:
    """One planned charge; NotFound otherwise."""
    charge = db.session.get(PlannedCharge, charge_id)
    if charge is None:
        raise NotFound("No such planned charge.")
    return charge


def charge_of_invoice(invoice_id: int) -> PlannedCharge | None:
    """The newest charge planned for an invoice, whatever became of it."""
    query = (
        sa.select(PlannedCharge)
        .where(PlannedCharge.invoice_id == invoice_id)
        .order_by(PlannedCharge.id.desc())
        .options(joinedload(PlannedCharge.attempt))
    )
    return db.session.scalars(query.limit(1)).first()


def coming_charges(customer_ids: Sequence[int], *, limit: int = 20) -> list[PlannedCharge]:
    """What will be charged, the next day first, as the customer sees it."""
    query = (
        sa.select(PlannedCharge)
        .where(
            PlannedCharge.customer_id.in_(customer_ids),
            PlannedCharge.state.in_([ChargeState.WAITING, ChargeState.FAILED]),
            PlannedCharge.source == ChargeSource.AUTOPAY,
        )
        .order_by(PlannedCharge.next_try_on, PlannedCharge.id)
        .limit(limit)
        .options(joinedload(PlannedCharge.invoice), joinedload(PlannedCharge.attempt))
    )
    return list(db.session.scalars(query))


def cancel_planned(charge: PlannedCharge, *, version: int, because: str) -> None:
    """Do not charge it; autopay does not plan it again. InvalidTransition once it has begun.

    Idempotent: what a person called off before stays so, whatever the version.
    DomainError for what is not autopay's: a run is stopped as a whole, a plan ended or changed.
    """
    if charge.source is not ChargeSource.AUTOPAY:
        raise DomainError(ELSEWHERE[charge.source].format(run=charge.run_id))
    if charge.called_off:
        return
    bump(charge, version)
    charge.state = CHARGE.after(charge.state, "cancel")
    charge.next_try_on, charge.claimed_until = None, None
    keep_outcome(charge, because)
    charge.called_off = True
    record("cancelled", charge.invoice or charge.customer, f"A planned charge: {because}")


def try_again_today(charge: PlannedCharge, *, version: int) -> PlannedCharge:
    """Have the worker try it now; one of autopay by a new row when it had been given up.

    DomainError for a row of a bulk charge, Conflict when another charge of the invoice waits.
    """
    bump(charge, version)
    if charge.source is ChargeSource.BULK:
        raise DomainError("A row of a bulk charge is not tried again. Charge it anew instead.")
    if charge.source is ChargeSource.PLAN and CHARGE.allows(charge.state, "try again"):
        charge.state = CHARGE.after(charge.state, "try again")
        charge.tries, charge.attempt_id = 0, None
        keep_outcome(charge, "")
        charge.next_try_on, charge.claimed_until = today(), None
    elif charge.state is ChargeState.FAILED:
        charge.next_try_on, charge.claimed_until = today(), None
    elif charge.source is ChargeSource.PLAN:
        raise DomainError("Only a charge of the plan that failed is tried again.")
    else:
        charge = _anew(charge)
    record("tried again", charge.invoice or charge.customer, "A planned charge is tried today.")
    wake("planned_charge", charge.id)
    return charge


def _anew(charge: PlannedCharge) -> PlannedCharge:
    if charge.state not in (ChargeState.GIVEN_UP, ChargeState.CANCELLED):
        raise DomainError("This charge is not over yet.")
    assert charge.invoice_id is not None  # autopay's
    (invoice,) = lock_rows(Invoice, [charge.invoice_id])
    live = sa.select(PlannedCharge.id).where(
        PlannedCharge.invoice_id == invoice.id,
        PlannedCharge.state.in_([ChargeState.WAITING, ChargeState.CHARGING, ChargeState.FAILED]),
    )
    if db.session.scalar(live.limit(1)):
        raise Conflict("Another charge of this invoice waits already.")
    anew = PlannedCharge(
        customer_id=charge.customer_id,
        source=charge.source,
        invoice_id=invoice.id,
        amount=invoice.balance,
        charge_on=today(),
        next_try_on=today(),
        noticed_at=charge.noticed_at or clock.now(),  # a person asked for it now
    )
    db.session.add(anew)
    db.session.flush()
    return anew


def _needs_somebody() -> list[sa.ColumnElement[bool]]:
    """Given up with a balance that is still owed, or waiting past its day for a reason."""
    owed = sa.select(Invoice.id).where(HAS_BALANCE)
    later = sa.exists().where(
        _Later.invoice_id == PlannedCharge.invoice_id, _Later.id > PlannedCharge.id
    )
    still_owed = sa.and_(
        PlannedCharge.state.in_([ChargeState.GIVEN_UP, ChargeState.FAILED]),
        PlannedCharge.invoice_id.in_(owed),
        ~later,
    )
    held = sa.and_(
        PlannedCharge.state == ChargeState.WAITING,
        PlannedCharge.source != ChargeSource.BULK,
        PlannedCharge.outcome != "",
    )
    return [sa.or_(still_owed, _plan_runs(), _owes_after_bulk(), held)]


def _plan_runs() -> sa.ColumnElement[bool]:
    """An instalment's charge that failed while its plan goes on."""
    instalments = (
        sa.select(PlanInstalment.id)
        .join(PaymentPlan, PaymentPlan.id == PlanInstalment.plan_id)
        .where(PaymentPlan.state == PlanState.ACTIVE)
    )
    return sa.and_(
        PlannedCharge.state.in_([ChargeState.GIVEN_UP, ChargeState.FAILED]),
        PlannedCharge.instalment_id.in_(instalments),
    )


def _owes_after_bulk() -> sa.ColumnElement[bool]:
    """A customer's newest bulk charge was given up, and something is still owed."""
    owing = sa.select(Invoice.customer_id).where(
        HAS_BALANCE, Invoice.balance > NO_MONEY, Invoice.state.in_(ON_THE_BOOKS)
    )
    later = sa.exists().where(
        _Later.customer_id == PlannedCharge.customer_id,
        _Later.source == ChargeSource.BULK,
        _Later.id > PlannedCharge.id,
    )
    return sa.and_(
        PlannedCharge.state == ChargeState.GIVEN_UP,
        PlannedCharge.source == ChargeSource.BULK,
        PlannedCharge.customer_id.in_(owing),
        ~later,
    )
