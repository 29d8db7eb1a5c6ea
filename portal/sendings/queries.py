"""Looking at sendings: how far they are, and what became of each invoice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import Page, PageRequest, db, paginate
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.models import (
    CHANGED_SINCE_SENT,
    Customer,
    Delivery,
    Invoice,
    InvoiceState,
    Message,
    MessageState,
    SendingItem,
    SendingItemState,
    SendingRun,
    SentState,
)

REMEMBERED = timedelta(days=60)  # how long the office is told what a rule could not send


@dataclass(frozen=True)
class RunFigures:
    """How far a sending is; `rate` is invoices per second so far, 0 while nothing is known."""

    waiting: int
    queued: int
    to_print: int
    refused: int
    rate: float

    @property
    def done(self) -> int:
        return self.queued + self.to_print + self.refused


@dataclass(frozen=True)
class Outlook:
    """What a sending of these invoices would do, counted before anybody presses."""

    total: int
    sent_before: int
    drafts: int
    by: dict[Delivery, int]


def get_run(run_id: int) -> SendingRun:
    """One sending; NotFound otherwise."""
    run = db.session.get(SendingRun, run_id)
    if run is None:
        raise NotFound("No such sending.")
    return run


def find_runs(page: PageRequest) -> Page[SendingRun]:
    query = sa.select(SendingRun).options(joinedload(SendingRun.started_by))
    return paginate(query, page, sorts={"newest": SendingRun.id}, default="-newest")


def figures_of(run: SendingRun) -> RunFigures:
    """Counted from the items, so that they are true after a restart too."""
    return figures_of_all([run])[run.id]


def figures_of_all(runs: Collection[SendingRun]) -> dict[int, RunFigures]:
    """The figures of each run by its id, in one statement."""
    query = (
        sa.select(SendingItem.run_id, SendingItem.state, sa.func.count())
        .where(SendingItem.run_id.in_([one.id for one in runs]))
        .group_by(SendingItem.run_id, SendingItem.state)
    )
    found: dict[int, dict[SendingItemState, int]] = {one.id: {} for one in runs}
    for run_id, state, number in db.session.execute(query):
        found[run_id][state] = number
    return {one.id: _figures(one, found[one.id]) for one in runs}


def _figures(run: SendingRun, found: Mapping[SendingItemState, int]) -> RunFigures:
    done = run.rows_total - found.get(SendingItemState.WAITING, 0)
    seconds = ((run.finished_at or clock.now()) - run.created_at).total_seconds()
    return RunFigures(
        waiting=found.get(SendingItemState.WAITING, 0),
        queued=found.get(SendingItemState.QUEUED, 0),
        to_print=found.get(SendingItemState.TO_PRINT, 0),
        refused=found.get(SendingItemState.REFUSED, 0),
        rate=done / seconds if seconds > 0 else 0.0,
    )


def find_items(
    run: SendingRun, page: PageRequest, *, state: SendingItemState | None = None
) -> Page[SendingItem]:
    query = (
        sa.select(SendingItem)
        .where(SendingItem.run_id == run.id)
        .options(joinedload(SendingItem.invoice).joinedload(Invoice.customer))
    )
    if state is not None:
        query = query.where(SendingItem.state == state)
    return paginate(query, page, sorts={"row": SendingItem.id}, default="row")


# What changed since it was sent goes out again.
_CHANGED = sa.select(Invoice.id).where(CHANGED_SINCE_SENT)
_IS_IN_HAND = sa.and_(Invoice.sent_state != SentState.NOT_SENT, Invoice.id.not_in(_CHANGED))


def outlook(ids: Collection[int]) -> Outlook:
    """By which way how many would go; read in one statement per thousand."""
    wanted, by = list(ids), dict.fromkeys(Delivery, 0)
    sent = drafts = 0
    for start in range(0, len(wanted), 1000):
        query = (
            sa.select(
                Customer.delivery,
                sa.func.count(),
                sa.func.sum(sa.case((_IS_IN_HAND, 1), else_=0)),
                sa.func.sum(sa.case((Invoice.state == InvoiceState.PENDING, 1), else_=0)),
            )
            .join(Invoice.customer)
            .where(Invoice.id.in_(wanted[start : start + 1000]))
            .group_by(Customer.delivery)
        )
        for delivery, number, sent_before, pending in db.session.execute(query):
            by[delivery] += number
            sent, drafts = sent + int(sent_before or 0), drafts + int(pending or 0)
    return Outlook(sum(by.values()), sent, drafts, by)


def not_sent_by_rule(page: PageRequest) -> Page[SendingItem]:
    """What a rule could not send and nobody has sent since: silence would hide it."""
    newest = (
        sa.select(sa.func.max(SendingItem.id))
        .join(SendingItem.run)
        .where(
            SendingRun.started_by_id.is_(None),
            SendingRun.created_at >= clock.now() - REMEMBERED,
            SendingItem.state == SendingItemState.REFUSED,
        )
        .group_by(SendingItem.invoice_id)
    )
    message = sa.exists().where(
        Message.subject_kind == "invoice",
        Message.subject_id == SendingItem.invoice_id,
        Message.state != MessageState.FAILED,
        Message.bounced_at.is_(None),
    )
    query = (
        sa.select(SendingItem)
        .join(SendingItem.invoice)
        .where(
            SendingItem.id.in_(newest),
            Invoice.state != InvoiceState.CANCELLED,
            Invoice.sent_state == SentState.NOT_SENT,
            ~message,
        )
        .options(joinedload(SendingItem.invoice).joinedload(Invoice.customer))
    )
    return paginate(query, page, sorts={"newest": SendingItem.id}, default="-newest")


def bounced_message(invoice: Invoice) -> Message | None:
    """The message about it that came back, unless a later one went out."""
    query = (
        sa.select(Message)
        .where(
            Message.subject_kind == "invoice",
            Message.subject_id == invoice.id,
            sa.or_(
                Message.bounced_at.is_not(None),
                Message.state.in_([MessageState.SENT, MessageState.WAITING, MessageState.SENDING]),
            ),
        )
        .order_by(Message.id.desc())
    )
    newest: dict[str, Message] = {}
    for message in db.session.scalars(query):
        newest.setdefault(message.recipient, message)
    return next((one for one in newest.values() if one.bounced_at is not None), None)
