"""A worker's side of a run: prepare some statements, then hand them over in one transaction."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import selectinload

from portal.audit import record
from portal.company import business_day
from portal.db import db, in_transaction, lock_rows, reading
from portal.invoices import customer_addresses
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import (
    Customer,
    Statement,
    StatementItem,
    StatementItemState,
    StatementRun,
    StatementRunState,
    StatementShare,
    StatementWay,
)
from portal.outbox import Words, bounced_addresses, mail_is_kept
from portal.statements.computing import StatementWanted, account_of
from portal.statements.deciding import Decision, nothing_to_say, too_soon, way_for
from portal.statements.keeping import Prepared, keep, prepare
from portal.statements.protecting import protected
from portal.statements.runs import waiting_shares
from portal.tasks import lease, wake

LEASE = 180  # seconds
PATIENCE = timedelta(seconds=20)  # what is prepared by then is handed over
CHUNK = 20  # statements per transaction at most
State = StatementItemState
WAITING = StatementRunState.WAITING
log = logging.getLogger("fieldledger.statements")
_at_it = threading.Lock()


@dataclass(frozen=True)
class Draft:
    """One item before its transaction: a statement to hand over, or why there is none.

    `version` is the customer's when the paper was made: who changed since is looked at anew.
    """

    item_id: int
    version: int
    prepared: Prepared | None = None
    why: str = ""


def look_at_share(share_id: int) -> None:
    """Make what waits in it; safe to call twice, by two workers, and after a crash.

    Paper is made outside the transaction, which takes the run's row, then the items: an item
    becomes a statement, its mail and its outcome there together or not at all, and once.

    A process makes one share at a time: paper is computing, and two threads of it are no faster.
    The other shares wait for other processes, who find them by the sweep, or for this one.
    """
    if not _at_it.acquire(blocking=False):
        return
    try:
        _make(share_id)
    finally:
        _at_it.release()


def _make(share_id: int) -> None:
    if not lease(StatementShare, share_id, states=[WAITING], seconds=LEASE):
        db.session.rollback()
        return
    db.session.commit()
    with reading():
        mine = db.session.get_one(StatementShare, share_id, populate_existing=True).claimed_until
        db.session.rollback()
    while mine is not None:
        held, drafts = mine, _prepare_some(share_id)
        mine = in_transaction(lambda: _hand_over(share_id, held, drafts))  # noqa: B023


def _prepare_some(share_id: int) -> list[Draft]:
    """The next few, as many as fit into PATIENCE, each in a transaction that only reads."""
    drafts: list[Draft] = []
    until = clock.now() + PATIENCE
    for item_id in _next_items(share_id):
        with reading():
            drafts.append(_draft(item_id))
            db.session.rollback()
        if clock.now() > until:
            break
    return drafts


def _next_items(share_id: int) -> Sequence[int]:
    with reading():
        share = db.session.get_one(StatementShare, share_id, populate_existing=True)
        ids = db.session.scalars(
            sa.select(StatementItem.id)
            .where(
                StatementItem.run_id == share.run_id,
                StatementItem.share == share.number,
                StatementItem.state == State.WAITING,
            )
            .order_by(StatementItem.id)
            .limit(CHUNK)
        ).all()
        db.session.rollback()
    return ids


def _draft(item_id: int) -> Draft:
    item = db.session.get_one(StatementItem, item_id)
    run, customer = item.run, item.customer
    version = customer.version
    try:
        if why := _reason(run, customer):
            return Draft(item_id, version, why=why)
        account = account_of(customer, StatementWanted(run.kind, run.ends_on, run.starts_on))
        if why := nothing_to_say(account, credit_only=run.credit_only):
            return Draft(item_id, version, why=why)
        return Draft(item_id, version, prepare(account, copies=run.with_copies))
    except DomainError as refusal:
        return Draft(item_id, version, why=str(refusal))
    except OperationalError:
        raise
    except Exception as failure:  # one that breaks must not hold up the others
        log.exception("the statement of customer %s could not be made", item.customer_id)
        return Draft(item_id, version, why=f"It could not be made ({type(failure).__name__}).")


def _reason(run: StatementRun, customer: Customer) -> str:
    """Why this customer gets none, before any paper is made."""
    if why := too_soon(_newest(customer.id), run.weeks_between, business_day(clock.now())):
        return why
    decision = _decide(run, customer, bounced_addresses([customer.id]))
    return "" if decision.leaves else decision.why


def _decide(run: StatementRun, customer: Customer, bounced: Mapping[str, str]) -> Decision:
    if not run.recipients and (why := protected(customer)):
        return Decision(why=why)
    if not run.recipients or not customer.active:
        return way_for(customer, run.way, customer_addresses(customer), bounced)
    prints = run.way is StatementWay.BOTH
    return Decision([one.strip() for one in run.recipients.split(",")], prints)


def _newest(customer_id: int) -> date | None:
    made = db.session.scalar(
        sa.select(sa.func.max(Statement.created_at)).where(Statement.customer_id == customer_id)
    )
    return business_day(made) if made else None


def _hand_over(share_id: int, held: datetime, drafts: Sequence[Draft]) -> datetime | None:
    """Until when the share is ours after this chunk; None when it is over or another's."""
    share = db.session.get_one(StatementShare, share_id)
    run = lock_rows(StatementRun, [share.run_id])[0]
    share = lock_rows(StatementShare, [share_id])[0]
    if share.state is not WAITING or share.claimed_until != held:
        return None
    if run.state is not WAITING:
        share.state, share.claimed_until = run.state, None
        return None
    if not drafts:
        _finish(run, share)
        return None
    _settle(run, drafts)
    share.claimed_until = clock.now() + timedelta(seconds=LEASE)
    return share.claimed_until


def _settle(run: StatementRun, drafts: Sequence[Draft]) -> None:
    items = {one.id: one for one in lock_rows(StatementItem, [one.item_id for one in drafts])}
    ids = [one.customer_id for one in items.values()]
    customers = {one.id: one for one in _fresh(ids)}
    bounced = bounced_addresses(ids)
    words = Words(run.subject, run.body) if run.body else None
    for draft in drafts:
        item = items[draft.item_id]
        customer = customers[item.customer_id]
        if item.state is not State.WAITING or customer.version != draft.version:
            continue  # somebody changed the customer meanwhile: looked at anew in the next round
        try:
            with db.session.begin_nested():
                item.state, item.sentence = _outcome(run, draft, item, customer, bounced, words)
        except DomainError as refusal:
            item.state, item.sentence = State.LEFT_OUT, str(refusal)


def _fresh(ids: Sequence[int]) -> Sequence[Customer]:
    """Who they are now, not when their paper was made."""
    query = sa.select(Customer).where(Customer.id.in_(ids)).options(selectinload(Customer.contacts))
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _outcome(
    run: StatementRun,
    draft: Draft,
    item: StatementItem,
    customer: Customer,
    bounced: Mapping[str, str],
    words: Words | None,
) -> tuple[State, str]:
    if draft.prepared is None:
        return State.LEFT_OUT, draft.why
    decision = _decide(run, customer, bounced)
    if not decision.leaves:
        return State.LEFT_OUT, decision.why
    keep(draft.prepared, decision, words=words, cc=() if run.recipients else None, item=item,
         by=run.started_by)  # fmt: skip
    state = State.TO_PRINT if decision.prints else State.QUEUED
    return state, " ".join(one for one in (_said(decision), decision.why) if one)


def _said(decision: Decision) -> str:
    """Where it went, in a sentence; kept is not sent."""
    sentences = []
    if decision.to:
        to = ", ".join(decision.to)
        kept = f"Kept in the outbox for {to}: nothing was sent."
        sentences.append(kept if mail_is_kept() else f"By email to {to}.")
    if decision.prints:
        sentences.append("It is on the list to print.")
    return " ".join(sentences)


def _finish(run: StatementRun, share: StatementShare) -> None:
    """The last share to end ends the run."""
    share.state, share.claimed_until = StatementRunState.DONE, None
    db.session.flush()
    others = sa.select(StatementShare.id).where(
        StatementShare.run_id == run.id, StatementShare.state == WAITING
    )
    if db.session.scalar(others.limit(1)) is None:
        run.state, run.finished_at = StatementRunState.DONE, clock.now()
        record("finished", run, f"All {run.rows_total} customers of this run were gone through.")
    for other in waiting_shares():
        wake("statement_share", other)
