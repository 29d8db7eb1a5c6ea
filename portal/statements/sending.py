"""Sending one statement by hand, and marking paper ones as sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from portal.audit import Happening, record_many
from portal.company import today
from portal.db import lock_rows
from portal.kernel import clock
from portal.kernel.addresses import normal_email
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import Customer, Statement, StatementRun, StatementWay, User
from portal.outbox import Words
from portal.statements.computing import StatementWanted, account_of
from portal.statements.deciding import has_postal_address
from portal.statements.runs import RunOrder, start_run


@dataclass(frozen=True)
class StatementOrder:
    """How one statement leaves: `to` are addresses; `prints` puts it on the list to print."""

    to: Sequence[str] = ()
    prints: bool = False
    words: Words | None = None
    copies: bool = False


def send_statement(
    customer: Customer, wanted: StatementWanted, order: StatementOrder, *, by: User | None = None
) -> StatementRun:
    """Queue one customer's statement as a run of one: the worker makes it, however long it is.

    Raises InvalidFields for addresses, words or a range that will not do, DomainError for an
    inactive customer and for a statement that says nothing.
    """
    if not customer.active:
        raise DomainError(f"{customer.name} is not active any more.")
    _require_ways(customer, order)
    if account_of(customer, wanted).is_empty:
        raise DomainError("Nothing is open and nothing happened: there is no statement to send.")
    both = StatementWay.BOTH if order.to else StatementWay.PRINT
    made = RunOrder(
        wanted,
        way=both if order.prints else StatementWay.EMAIL,
        copies=order.copies,
        credit_only=True,
        words=order.words if order.to else None,
        recipients=order.to,
        narrowed_to=customer.name,
    )
    return start_run([customer.id], made, today=today(), by=by)


def mark_printed(statement_ids: Collection[int]) -> list[int]:
    """These were printed and go by post. Gives the customers; what was marked is left alone."""
    marked = []
    for statement in lock_rows(Statement, statement_ids):
        if statement.to_print and statement.printed_at is None:
            statement.printed_at = clock.now()
            marked.append(statement)
    words = "The statement of {} was printed and sent by post."
    record_many(
        [
            Happening("printed", "customer", one.customer_id, words.format(one.ends_on.isoformat()))
            for one in marked
        ]
    )
    return [one.customer_id for one in marked]


def _require_ways(customer: Customer, order: StatementOrder) -> None:
    errors = {}
    if not order.to and not order.prints:
        errors["more"] = "Tick or type at least one address, or print it."
    for address in order.to:
        try:
            normal_email(address)
        except ValueError as misfit:
            errors["more"] = f"{address}: {misfit}"
    if order.prints and not has_postal_address(customer):
        errors["prints"] = "There is no postal address: complete the customer's record first."
    if errors:
        raise InvalidFields(errors)
