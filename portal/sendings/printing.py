"""The list to print: invoices of customers who want paper, in the order of their postcodes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from portal.db import Page, PageRequest, db, lock_rows, paginate
from portal.invoices import IS_INTERNAL, mark_mailed, sending_problem
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import (
    IS_TO_PRINT,
    Customer,
    Invoice,
    InvoiceState,
    SendingItem,
    SendingItemState,
    SendingRun,
    SendingState,
    User,
)

# What was cancelled, or is kept in the house, after it was put on the list.
IS_STILL_WANTED = sa.and_(Invoice.state != InvoiceState.CANCELLED, ~IS_INTERNAL)


def put_to_print(invoice: Invoice, *, by: User | None = None) -> SendingItem:
    """Put one invoice on the list; DomainError when it cannot be sent or is there already."""
    if problem := sending_problem(invoice):
        raise DomainError(problem)
    lock_rows(Invoice, [invoice.id])
    there = sa.select(SendingItem.id).where(IS_TO_PRINT, SendingItem.invoice_id == invoice.id)
    if db.session.scalar(there.limit(1)):
        raise DomainError("It is on the print list already.")
    run = SendingRun(
        state=SendingState.DONE,
        rows_total=1,
        started_by_id=by.id if by else None,
        finished_at=clock.now(),
    )
    item = SendingItem(
        run=run,
        invoice_id=invoice.id,
        state=SendingItemState.TO_PRINT,
        sentence="By post: it is on the print list.",
    )
    db.session.add(item)
    db.session.flush()
    return item


def find_to_print(page: PageRequest) -> Page[SendingItem]:
    """What waits to be printed, by postcode and name as the post office likes it."""
    query = (
        sa.select(SendingItem)
        .join(SendingItem.invoice)
        .join(Invoice.customer)
        .where(IS_TO_PRINT, IS_STILL_WANTED)
        .options(contains_eager(SendingItem.invoice).contains_eager(Invoice.customer))
    )
    sorts = {"postcode": Customer.postal_code, "customer": Customer.name}
    return paginate(query, page, sorts=sorts, default="postcode")


def ids_to_print() -> list[int]:
    """The invoices on the list, in the same order: what one PDF of all is made of."""
    query = (
        sa.select(SendingItem.invoice_id)
        .join(SendingItem.invoice)
        .join(Invoice.customer)
        .where(IS_TO_PRINT, IS_STILL_WANTED)
        .order_by(Customer.postal_code, SendingItem.id)
    )
    return list(dict.fromkeys(db.session.scalars(query)))


def print_mark(invoice: Invoice) -> str:
    """What its paper says, in short: the list shows it and `mark_printed` asks for it again."""
    return f"{invoice.number} {invoice.total.cents}"


def mark_printed(item_ids: Collection[int], *, shown: Mapping[int, str] | None = None) -> int:
    """These were printed and go by post: off the list, and the invoices count as sent.

    Returns how many; ticking one that somebody else marked meanwhile, or that cannot be sent
    any more, does nothing. `shown` holds the `print_mark` of items as they were listed: one that
    says something else now was printed as it was before, so it stays on the list.
    """
    marks = shown or {}
    ids = sa.select(SendingItem.invoice_id).where(SendingItem.id.in_(item_ids))
    invoices = {one.id: one for one in lock_rows(Invoice, db.session.scalars(ids))}
    done = 0
    for item in lock_rows(SendingItem, item_ids):
        invoice, mark = invoices[item.invoice_id], marks.get(item.id)
        waits = item.state is SendingItemState.TO_PRINT and item.printed_at is None
        same = mark is None or mark == print_mark(invoice)
        if waits and same and sending_problem(invoice) is None:
            item.printed_at = clock.now()
            mark_mailed(invoice)
            done += 1
    return done
