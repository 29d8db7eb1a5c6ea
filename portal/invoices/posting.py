"""Making invoices final and putting them on the books, one or ten thousand at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from portal.audit import Happening, record_many
from portal.db import db
from portal.invoices.events import InvoicesPosted
from portal.kernel import clock
from portal.kernel.errors import Conflict, DomainError
from portal.kernel.events import tell
from portal.kernel.money import ZERO, Money
from portal.ledger import (
    Entry,
    Leg,
    account_id_for,
    closed_sentence,
    is_open,
    next_number,
    post_entries,
)
from portal.models import (
    INVOICE,
    AccountRole,
    Invoice,
    InvoiceState,
    ItemKind,
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
    outcome = _post([fresh], by, {})
    if outcome.refused:
        raise DomainError(outcome.refused[0][1])


def post_invoices(
    ids: Sequence[int], *, by: User | None = None, seen: Mapping[int, int] | None = None
) -> PostingOutcome:
    """Post many; refused ones are listed with their reason and stay Pending.

    `seen` holds the version of each invoice somebody said yes to; one that was changed since
    is refused. The caller decides whether a refusal rolls back the rest.
    """
    whole = PostingOutcome()
    open_months: dict[date, bool] = {}
    for start in range(0, len(ids), CHUNK):
        invoices = _load_locked(ids[start : start + CHUNK])
        part = _post(invoices, by, open_months, seen)
        whole.done += part.done
        whole.refused += part.refused
    return whole


def posting_problem(invoice: Invoice, open_months: dict[date, bool] | None = None) -> str | None:
    """The first reason why this invoice cannot be posted, in words, or None."""
    months = {} if open_months is None else open_months
    day = invoice.invoice_date
    if day and not months.setdefault(day.replace(day=1), is_open(day)):
        return closed_sentence(day)
    if not INVOICE.allows(invoice.state, "post"):
        return f"Cannot post invoice {invoice.number}: it is already {invoice.state}."
    if invoice.job is not None and invoice.job.state is not JobState.DONE:
        return "The job is not completed yet."
    if day is None:
        return "Give the invoice a date before posting."
    if not invoice.lines:
        return "Add at least one line before posting."
    if invoice.total < ZERO:
        return "The total is negative. Give the money back with a credit note instead."
    return None


def revenue_legs(invoice: Invoice) -> list[Leg]:
    """The legs of a posted invoice (servicetitan-rules §18): A/R against revenue and tax."""
    by_account: dict[int, Money] = defaultdict(lambda: ZERO)
    for line in invoice.lines:
        role = AccountRole.DISCOUNTS if line.kind is ItemKind.DISCOUNT else AccountRole.REVENUE
        by_account[line.income_account_id or account_id_for(role)] += line.total
    legs = [Leg(AccountRole.RECEIVABLE, invoice.total, invoice.customer_id, invoice.id)]
    legs += [Leg(account, -amount) for account, amount in sorted(by_account.items())]
    legs.append(Leg(AccountRole.SALES_TAX, -invoice.tax_total))
    return legs


def _load_locked(ids: Sequence[int]) -> list[Invoice]:
    """Fresh under lock in id order, given back in date order.

    Money applied from now on waits, then finds the invoice posted and books itself.
    """
    db.session.flush()
    query = (
        sa.select(Invoice)
        .where(Invoice.id.in_(ids))
        .order_by(Invoice.id)
        .with_for_update(of=Invoice)
        .execution_options(populate_existing=True)
        .options(
            selectinload(Invoice.lines),
            joinedload(Invoice.customer),
            joinedload(Invoice.location),
            joinedload(Invoice.term),
            joinedload(Invoice.job).load_only(Job.state, Job.version),
        )
    )
    found = list(db.session.scalars(query))
    return sorted(found, key=lambda one: (one.invoice_date or date.min, one.id))


def _post(
    invoices: Sequence[Invoice],
    by: User | None,
    open_months: dict[date, bool],
    seen: Mapping[int, int] | None = None,
) -> PostingOutcome:
    outcome = PostingOutcome()
    for invoice in invoices:
        problem = posting_problem(invoice, open_months)
        if seen is not None and seen.get(invoice.id) != invoice.version:
            problem = "Somebody else changed it. Look again, then retry."
        if problem:
            outcome.refused.append((invoice, problem))
        else:
            outcome.done.append(invoice)
    if outcome.done:
        _finalise(outcome.done, by)
    return outcome


def _finalise(invoices: Sequence[Invoice], by: User | None) -> None:
    waiting = _waiting_applications([invoice.id for invoice in invoices])
    numbers = _numbers(invoices)
    changes = [_posted_values(one, numbers[one.id], waiting[one.id], by) for one in invoices]
    table = cast(sa.Table, Invoice.__table__)
    updated = db.session.execute(
        sa.update(table)
        .where(
            table.c.id == sa.bindparam("row_id"),
            table.c.state == InvoiceState.PENDING,
            table.c.version == sa.bindparam("old_version"),
        )
        .values({name: sa.bindparam(f"new_{name}") for name in changes[0]}),
        [
            {"row_id": one.id, "old_version": one.version}
            | {f"new_{name}": value for name, value in values.items()}
            for one, values in zip(invoices, changes, strict=True)
        ],
    )
    if updated.rowcount != len(invoices):  # type: ignore[attr-defined]
        raise Conflict("Somebody else changed one of these invoices. Look again, then retry.")
    for invoice, values in zip(invoices, changes, strict=True):
        for name, value in values.items():
            set_committed_value(invoice, name, value)
    _book(invoices, waiting)
    record_many(
        [
            Happening("posted", "invoice", one.id, f"Posted as {one.document_number}: {one.total}.")
            for one in invoices
        ]
    )
    tell(InvoicesPosted(invoices))


def _numbers(invoices: Sequence[Invoice]) -> dict[int, str]:
    """Document numbers in date order; one already given out once is used again."""
    years: dict[int, list[Invoice]] = defaultdict(list)
    numbers: dict[int, str] = {}
    for invoice in invoices:
        assert invoice.invoice_date is not None
        if invoice.document_number:
            numbers[invoice.id] = invoice.document_number
        else:
            years[invoice.invoice_date.year * 12 + invoice.invoice_date.month].append(invoice)
    for _, members in sorted(years.items()):
        day = members[0].invoice_date
        assert day is not None
        new = next_number("INV", day, count=len(members))
        numbers.update({one.id: number for one, number in zip(members, new, strict=True)})
    return numbers


def _posted_values(
    invoice: Invoice, number: str, waiting: Sequence[PaymentApplication], by: User | None
) -> dict[str, object]:
    assert invoice.invoice_date is not None
    settled = max([invoice.invoice_date, *(one.applied_on for one in waiting)])
    return {
        "state": InvoiceState.POSTED,
        "version": invoice.version + 1,
        "document_number": number,
        "posted_at": clock.now(),
        "posted_by_id": by.id if by else None,
        "settled_on": None if invoice.balance else settled,
        "bill_to": "\n".join([invoice.customer.name, *invoice.customer.address_lines]),
        "service_at": "\n".join(invoice.location.address_lines) if invoice.location else "",
        "term_name": invoice.term.name if invoice.term else "",
    }


def _waiting_applications(ids: Sequence[int]) -> dict[int, list[PaymentApplication]]:
    """Money applied while the invoices were Pending; it still sits in Customer Deposits."""
    found: dict[int, list[PaymentApplication]] = defaultdict(list)
    query = (
        sa.select(PaymentApplication)
        .where(PaymentApplication.invoice_id.in_(ids))
        .order_by(PaymentApplication.id)
    )
    for application in db.session.scalars(query):
        found[application.invoice_id].append(application)
    return found


def _book(invoices: Sequence[Invoice], waiting: dict[int, list[PaymentApplication]]) -> None:
    entries = []
    for invoice in invoices:
        assert invoice.invoice_date is not None
        memo = f"Invoice {invoice.document_number}"
        entries.append(
            Entry(invoice.invoice_date, memo, ("invoice", invoice.id), revenue_legs(invoice))
        )
        entries += [application_entry(invoice, one) for one in waiting[invoice.id]]
    post_entries(entries)


def application_entry(invoice: Invoice, application: PaymentApplication) -> Entry:
    """Dr Customer Deposits, Cr A/R, dated when both the money and the invoice were there."""
    assert invoice.invoice_date is not None
    amount = application.amount
    return Entry(
        on=max(application.applied_on, invoice.invoice_date),
        memo=f"Payment applied to invoice {invoice.number}",
        source=("paymentapplication", application.id),
        legs=[
            Leg(AccountRole.CUSTOMER_DEPOSITS, amount, invoice.customer_id),
            Leg(AccountRole.RECEIVABLE, -amount, invoice.customer_id, invoice.id),
        ],
    )
