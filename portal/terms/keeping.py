"""Terms are locked once used: an old invoice must stay due when it said it was."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from portal.audit import record, record_changes
from portal.company import company
from portal.db import Page, PageRequest, bump, db, holds, is_taken, paginate
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.kernel.numbers import Rate
from portal.models import AuditEntry, Customer, DueKind, Invoice, PaymentTerm


@dataclass(frozen=True)
class TermWords:
    """A term as typed; `due_day` is days after, or a day of the month."""

    name: str
    due_kind: DueKind
    due_day: int = 0
    discount_rate: Rate = Rate(0)
    discount_days: int = 0
    active: bool = True


def add_term(words: TermWords) -> PaymentTerm:
    """Add a term; InvalidFields when the name is taken or the day out of range."""
    term = PaymentTerm()
    _write(term, words)
    db.session.add(term)
    record("added", term, f"Payment term {term.name} was added.")
    return term


def change_term(term: PaymentTerm, words: TermWords, *, version: int) -> None:
    """Save a term. Once in use only its name and whether it is offered may change (§10)."""
    bump(term, version)
    rule = (words.due_kind, words.due_day, words.discount_rate, words.discount_days)
    kept = (term.due_kind, term.due_day, term.discount_rate, term.discount_days)
    if rule != kept and is_in_use(term):
        raise DomainError(
            f"{term.name} is already used by customers or invoices, so its rule cannot change. "
            "Add a new term instead.",
            field="due_kind",
        )
    if term.active and not words.active and term.id == company().default_term_id:
        raise DomainError("This is the default term. Choose another default first.", field="active")
    before = _plain(term)
    _write(term, words)
    record_changes(term, f"Payment term {term.name} was changed.", before, _plain(term))


def make_default(term: PaymentTerm) -> None:
    """New invoices of customers without a term of their own get this one."""
    if not term.active:
        raise DomainError("A deactivated term cannot be the default.")
    company().default_term_id = term.id
    record("made default", term, f"{term.name} is now the default payment term.")


def terms_were_looked_after() -> bool:
    """Whether anybody chose a default, added or changed a term since the company was founded."""
    kind = PaymentTerm.__name__.lower()
    return bool(db.session.scalar(sa.select(sa.exists().where(AuditEntry.subject_kind == kind))))


def is_in_use(term: PaymentTerm) -> bool:
    used = sa.or_(
        sa.exists().where(Customer.term_id == term.id),
        sa.exists().where(Invoice.term_id == term.id),
    )
    return bool(db.session.scalar(sa.select(used)))


def active_terms() -> list[PaymentTerm]:
    return list(
        db.session.scalars(
            sa.select(PaymentTerm).where(PaymentTerm.active).order_by(PaymentTerm.name)
        )
    )


def due_on_receipt() -> PaymentTerm | None:
    """The term offered for what is paid on the spot, if there is one."""
    query = sa.select(PaymentTerm).where(
        PaymentTerm.active, PaymentTerm.due_kind == DueKind.DAYS_AFTER, PaymentTerm.due_day == 0
    )
    return db.session.scalars(query.order_by(PaymentTerm.id)).first()


def get_term(term_id: int) -> PaymentTerm:
    """One term; NotFound otherwise."""
    term = db.session.get(PaymentTerm, term_id)
    if term is None:
        raise NotFound("No such payment term.")
    return term


def find_terms(q: str, page: PageRequest) -> Page[PaymentTerm]:
    query = sa.select(PaymentTerm)
    if q:
        query = query.where(holds(PaymentTerm.name, q))
    return paginate(query, page, sorts={"name": PaymentTerm.name}, default="name")


def _write(term: PaymentTerm, words: TermWords) -> None:
    errors = {}
    if not words.name.strip():
        errors["name"] = "Give the term a name; customers see it."
    of_month = words.due_kind in (DueKind.DAY_OF_THIS_MONTH, DueKind.DAY_OF_NEXT_MONTH)
    if of_month and not 1 <= words.due_day <= 31:
        errors["due_day"] = "Give a day of the month from 1 to 31."
    if not of_month and not 0 <= words.due_day <= 365:
        errors["due_day"] = "Give a number of days from 0 to 365."
    if words.discount_days < 0:
        errors["discount_days"] = "The days of the discount cannot be negative."
    with db.session.no_autoflush:
        if is_taken(PaymentTerm.name, words.name.strip(), term):
            errors["name"] = "Another term already has this name."
    if errors:
        raise InvalidFields(errors)
    term.name = words.name.strip()
    term.due_kind, term.due_day, term.active = words.due_kind, words.due_day, words.active
    term.discount_rate, term.discount_days = words.discount_rate, words.discount_days


def _plain(term: PaymentTerm) -> dict[str, Any]:
    return {field.name: str(getattr(term, field.name)) for field in fields(TermWords)}
