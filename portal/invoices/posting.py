"""Making invoices final and putting them on the books, one or ten thousand at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.attributes import set_committed_value

from portal.audit import Happening, record_many
from portal.db import db
from portal.invoices.approval import review_problem
from portal.invoices.approval_rules import active_rules
from portal.invoices.booking import application_entry, revenue_entry
from portal.invoices.claiming import change_all
from portal.invoices.copied_words import copied_words
from portal.invoices.crediting import Room
from portal.invoices.events import DocumentsCredited, InvoicesPosted
from portal.invoices.locking import and_originals, hold_counters, in_date_order, lock_in_order
from portal.invoices.shared_tax import share_the_tax
from portal.invoices.totals import credit_tax_problem
from portal.invoices.wording import document_word, named, series_of_kind
from portal.kernel import clock
from portal.kernel.errors import Conflict, DomainError
from portal.kernel.events import tell
from portal.kernel.money import ZERO
from portal.ledger import closed_sentence, hold_periods, is_open, next_number, post_entries
from portal.models import (
    INVOICE,
    ApprovalRule,
    Invoice,
    InvoiceLine,
    InvoiceState,
    Job,
    JobState,
    PaymentApplication,
    User,
)

CHUNK = 500


@dataclass
class PostingOutcome:
    """What became of each invoice; a refusal says why."""

    done: list[Invoice] = field(default_factory=list)
    refused: list[tuple[Invoice, str]] = field(default_factory=list)


def post_invoice(invoice: Invoice, *, by: User | None = None) -> None:
    """Make one invoice final: gapless number, printed words copied, balanced entry, locked.

    Raises the first failing reason (period, state, date, lines, customer), or Conflict when
    somebody else was faster. The number is taken after every check, so a refusal burns none.
    """
    db.session.flush()
    known = sa.inspect(invoice)
    assert known.identity is not None  # it was saved above
    seen = known.dict.get("version")  # nothing when it was not read since a commit
    (fresh,) = _load_locked(known.identity)
    if seen not in (fresh.version, None):
        raise Conflict("Somebody else changed this invoice. Look again, then retry.")
    outcome = _post([fresh], by, {}, active_rules())
    if outcome.refused:
        raise DomainError(outcome.refused[0][1])


def post_invoices(
    ids: Sequence[int],
    *,
    by: User | None = None,
    seen: Mapping[int, int] | None = None,
    batch_id: int | None = None,
) -> PostingOutcome:
    """Post many; refused ones are listed with their reason and stay Pending.

    `seen` holds the version of each invoice somebody said yes to; one that was changed since
    is refused. `batch_id` is the batch that is being posted: only its members are posted, empty
    ones too. The caller decides whether a refusal rolls back the rest.
    """
    whole = PostingOutcome()
    rules = active_rules()
    open_months: dict[date, bool] = {}
    if len(ids) > CHUNK:
        hold_periods()
        lock_in_order(ids)  # all of them, before the first chunk: nobody waits in a circle
        hold_counters(ids)
        ids = in_date_order(ids)
    for start in range(0, len(ids), CHUNK):
        invoices = _load_locked(ids[start : start + CHUNK])
        part = _post(invoices, by, open_months, rules, seen, batch_id)
        whole.done += part.done
        whole.refused += part.refused
    return whole


def posting_problem(
    invoice: Invoice,
    open_months: dict[date, bool] | None = None,
    room: Room | None = None,
    *,
    rules: Sequence[ApprovalRule] | None = None,
    batch_id: int | None = None,
) -> str | None:
    """The first reason why this invoice cannot be posted, in words, or None.

    `room` counts what other corrections of the same run take off their originals; who asks
    about many gives the `rules` of approval, loaded once. A member of a batch is posted with
    that batch, `batch_id`, where one without lines is bypassed.
    """
    months = {} if open_months is None else open_months
    day = invoice.invoice_date
    if day and not months.setdefault(day.replace(day=1), is_open(day)):
        return closed_sentence(day)
    if not INVOICE.allows(invoice.state, "post"):
        return f"Cannot post {named(invoice, mid=True)}: it is already {invoice.state}."
    if invoice.batch_id != batch_id:
        return _belongs_elsewhere(invoice)
    if invoice.job is not None and invoice.job.state is not JobState.DONE:
        return "The job is not completed yet."
    if day is None:
        return "Give the invoice a date before posting."
    if not invoice.lines and batch_id is None:
        return "Add at least one line before posting."
    room = room or Room()
    if problem := room.problem(invoice) or credit_tax_problem(invoice, room.notes_before(invoice)):
        return problem
    return review_problem(invoice, active_rules() if rules is None else rules)


def _belongs_elsewhere(invoice: Invoice) -> str:
    if invoice.batch is None:
        return "It is not in this batch any more."
    return f"It is in batch {invoice.batch.number} and is posted with it, or taken out of it first."


_IDS: sa.BindParameter[int] = sa.bindparam("ids", expanding=True)
_LOCKED = (
    sa.select(Invoice)
    .where(Invoice.id.in_(and_originals(_IDS)))
    .order_by(Invoice.id)
    .with_for_update(of=Invoice)
    .execution_options(populate_existing=True)
    .options(selectinload(Invoice.job).load_only(Job.state, Job.version, Job.job_type))
)
_LINES = (
    sa.select(InvoiceLine)
    .where(InvoiceLine.invoice_id.in_(_IDS))
    .order_by(InvoiceLine.invoice_id, InvoiceLine.position)
    .execution_options(populate_existing=True)
)


def _load_locked(ids: Sequence[int]) -> list[Invoice]:
    """Fresh under lock in id order, given back in date order, each with what it corrects.

    Money applied from now on waits, then finds the invoice posted and books itself. What hangs
    on them is read by statements of its own: joined, PostgreSQL would give it as it was before
    the wait for the lock. The periods are held before the first row, as by whoever pays.
    """
    db.session.flush()
    hold_periods()
    locked = {one.id: one for one in db.session.scalars(_LOCKED, {"ids": ids})}
    lines: dict[int, list[InvoiceLine]] = defaultdict(list)
    for line in db.session.scalars(_LINES, {"ids": list(locked)}):
        lines[line.invoice_id].append(line)
    for invoice in locked.values():
        # Not by an option of the query: each later refresh of the row would load them again.
        set_committed_value(invoice, "lines", lines[invoice.id])
        if invoice.adjusts_id in locked:
            set_committed_value(invoice, "adjusts", locked[invoice.adjusts_id])
    found = [locked[one] for one in dict.fromkeys(ids) if one in locked]
    return sorted(found, key=lambda one: (one.invoice_date or date.min, one.id))


def _post(
    invoices: Sequence[Invoice],
    by: User | None,
    open_months: dict[date, bool],
    rules: Sequence[ApprovalRule],
    seen: Mapping[int, int] | None = None,
    batch_id: int | None = None,
) -> PostingOutcome:
    outcome, room = PostingOutcome(), Room()
    for invoice in invoices:
        look = partial(posting_problem, rules=rules, batch_id=batch_id)
        ask = partial(look, invoice, open_months, room)
        if seen is not None and seen.get(invoice.id) != invoice.version:
            problem: str | None = "Somebody else changed it. Look again, then retry."
        elif problem := ask():
            problem = share_the_tax(invoice, room, batch_id, problem, ask)
        if problem:
            outcome.refused.append((invoice, problem))
        else:
            outcome.done.append(invoice)
            room.take(invoice)
    if outcome.done:
        _finalise(outcome.done, by)
    return outcome


def _finalise(invoices: Sequence[Invoice], by: User | None) -> None:
    waiting = _waiting_applications(invoices)
    words = copied_words([invoice.id for invoice in invoices])
    numbers = _numbers(invoices)
    changes = [
        {**_posted_values(one, numbers[one.id], waiting[one.id], by), **words[one.id]}
        for one in invoices
    ]
    change_all(invoices, changes, was=InvoiceState.PENDING)
    _book(invoices, waiting)
    _tell_timelines(invoices)
    credited = [one for one in invoices if one.total < ZERO]
    if credited:
        tell(DocumentsCredited(credited))
    tell(InvoicesPosted(invoices))


def _tell_timelines(invoices: Sequence[Invoice]) -> None:
    """In its own, and in that of the document it corrects."""
    told = []
    for one in invoices:
        words = f"Posted as {one.document_number}: {one.shown(one.total)}."
        told.append(Happening("posted", "invoice", one.id, words))
        if one.adjusts_id:
            words = f"{document_word(one)} {one.number} was posted: {one.shown(one.total)}."
            told.append(Happening("correction posted", "invoice", one.adjusts_id, words))
    record_many(told)


def _numbers(invoices: Sequence[Invoice]) -> dict[int, str]:
    """Document numbers in date order per series; one already given out is used again."""
    months: dict[tuple[str, int], list[Invoice]] = defaultdict(list)
    numbers: dict[int, str] = {}
    for invoice in invoices:
        assert invoice.invoice_date is not None
        if invoice.document_number:
            numbers[invoice.id] = invoice.document_number
        else:
            month = invoice.invoice_date.year * 12 + invoice.invoice_date.month
            months[series_of_kind(invoice.kind), month].append(invoice)
    for (series, _), members in sorted(months.items()):
        day = members[0].invoice_date
        assert day is not None
        new = next_number(series, day, count=len(members))
        numbers.update({one.id: number for one, number in zip(members, new, strict=True)})
    return numbers


def _posted_values(
    invoice: Invoice, number: str, waiting: Sequence[PaymentApplication], by: User | None
) -> dict[str, object]:
    assert invoice.invoice_date is not None
    settled = max([invoice.invoice_date, *(one.applied_on for one in waiting)])
    balance = max(invoice.balance, ZERO)  # a negative one turns into credit (decisions/0007)
    return {
        "state": InvoiceState.POSTED,
        "document_number": number,
        "posted_at": clock.now(),
        "posted_by_id": by.id if by else None,
        "balance": balance,
        "settled_on": None if balance else settled,
        "bypass": not invoice.lines,
    }


def _waiting_applications(invoices: Sequence[Invoice]) -> dict[int, list[PaymentApplication]]:
    """Money applied while the invoices were Pending; it still sits in Customer Deposits."""
    found: dict[int, list[PaymentApplication]] = defaultdict(list)
    paid = [invoice.id for invoice in invoices if invoice.last_applied_on]
    if not paid:  # nearly always: nothing was ever put on a draft
        return found
    query = (
        sa.select(PaymentApplication)
        .where(PaymentApplication.invoice_id.in_(paid))
        .order_by(PaymentApplication.id)
    )
    for application in db.session.scalars(query):
        found[application.invoice_id].append(application)
    return found


def _book(invoices: Sequence[Invoice], waiting: dict[int, list[PaymentApplication]]) -> None:
    entries = []
    for invoice in invoices:
        entries.append(revenue_entry(invoice))
        entries += [application_entry(invoice, one) for one in waiting[invoice.id]]
    post_entries(entries)
