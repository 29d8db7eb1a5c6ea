"""Reading every row and saying what is wrong with each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from portal.company import today
from portal.db import db
from portal.files import open_file
from portal.imports.reading import read_table
from portal.imports.shapes import SHAPES
from portal.kernel.addresses import normal_email
from portal.kernel.money import ZERO
from portal.ledger import is_open
from portal.models import (
    Customer,
    ImportRun,
    ImportSubject,
    Invoice,
    ItemKind,
    Payment,
    PaymentTerm,
    PriceBookItem,
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """What is wrong with one row of the file, counted as the spreadsheet counts."""

    row_number: int
    column: str
    sentence: str


@dataclass
class Checked:
    """What a file holds: rows to save, how many are known already, and what is wrong."""

    rows: list[Row] = field(default_factory=list)
    known: int = 0
    total: int = 0
    problems: list[Problem] = field(default_factory=list)
    bad: int = 0


class Known:
    """What the database already has, read once per run."""

    def __init__(self, subject: ImportSubject) -> None:
        self.subject = subject
        self.keys = set(db.session.scalars(self._key_query()))
        self.customers: dict[str, int] = {}
        self.twice: set[str] = set()
        for row_id, key, name in db.session.execute(
            sa.select(Customer.id, Customer.external_key, Customer.name)
        ):
            if key:
                self.customers[f"key {key.lower()}"] = row_id
            if f"name {name.lower()}" in self.customers:
                self.twice.add(name.lower())
            self.customers[f"name {name.lower()}"] = row_id
        self.terms = {
            name.lower(): row_id
            for row_id, name in db.session.execute(sa.select(PaymentTerm.id, PaymentTerm.name))
        }
        self.invoices: dict[str, tuple[int, int]] = {}
        if subject is ImportSubject.PAYMENTS:
            found = db.session.execute(
                sa.select(Invoice.id, Invoice.customer_id, Invoice.document_number)
            )
            self.invoices = {number: (row_id, who) for row_id, who, number in found if number}
        self._months: dict[date, bool] = {}

    def customer(self, words: str) -> int:
        """By number, else by exact name; ValueError with a sentence."""
        wanted = words.strip().lower()
        by_key = self.customers.get(f"key {wanted}")
        if by_key:
            return by_key
        if wanted in self.twice:
            raise ValueError(f"Several customers are called “{words}”; use the customer number.")
        by_name = self.customers.get(f"name {wanted}")
        if by_name is None:
            raise ValueError(f"There is no customer “{words}”. Import the customers first.")
        return by_name

    def require_open(self, day: date) -> None:
        month = day.replace(day=1)
        if not self._months.setdefault(month, is_open(day)):
            raise ValueError(f"The accounting period {day:%B %Y} is closed.")

    def _key_query(self) -> Any:
        column = {
            ImportSubject.CUSTOMERS: Customer.external_key,
            ImportSubject.ITEMS: PriceBookItem.code,
            ImportSubject.INVOICES: Invoice.external_key,
            ImportSubject.PAYMENTS: Payment.external_key,
        }[self.subject]
        return sa.select(column).where(column.is_not(None))


def check_file(run: ImportRun, *, told: Callable[[int], None], keep: int = 500) -> Checked:
    """Read the whole file; nothing is written. `told` is called with the rows read so far."""
    titles, rows = read_table(open_file(run.file_key), run.original_name)
    columns = [one for one in SHAPES[run.subject] if one.name in run.mapping]
    places = {one.name: titles.index(run.mapping[one.name]) for one in columns}
    known, checked, seen = Known(run.subject), Checked(), set[str]()
    refine = REFINE[run.subject]
    for number, cells in enumerate(rows, start=2):
        checked.total += 1
        problems, row = [], Row()
        for column in columns:
            cell = cells[places[column.name]] if places[column.name] < len(cells) else ""
            try:
                row[column.name] = _value(column, cell)
            except ValueError as error:
                problems.append(Problem(number, column.label, str(error)))
        if not problems:
            problems = [Problem(number, label, words) for label, words in refine(row, known, seen)]
        if problems:
            checked.bad += 1
            checked.problems += problems[: max(keep - len(checked.problems), 0)]
        elif row["key"] in known.keys:
            checked.known += 1
        else:
            seen.add(row["key"])
            checked.rows.append(row)
        if checked.total % 2000 == 0:
            told(checked.total)
    return checked


def _value(column: Any, cell: str) -> Any:
    if not cell.strip():
        if column.required:
            raise ValueError(f"{column.label} is empty.")
        return None
    return column.read(cell)


def _customers(row: Row, known: Known, seen: set[str]) -> Iterator[tuple[str, str]]:
    yield from _once(row, seen)
    try:
        row["email"] = normal_email(row.get("email") or "")
    except ValueError as error:
        yield "Email", str(error)
    term = row.get("term")
    row["term_id"] = known.terms.get(term.lower()) if term else None
    if term and row["term_id"] is None:
        yield "Payment term", f"There is no payment term “{term}”. Add it in Settings first."


def _items(row: Row, _known: Known, seen: set[str]) -> Iterator[tuple[str, str]]:
    row["key"] = row["code"]
    yield from _once(row, seen)
    words = (row.get("kind") or "service").lower().split()[0]
    kinds = {kind.value: kind for kind in ItemKind} | {
        "labor": ItemKind.SERVICE, "part": ItemKind.MATERIAL, "inventory": ItemKind.MATERIAL,
        "non-inventory": ItemKind.MATERIAL,
    }  # fmt: skip
    if words not in kinds:
        yield "Kind", f"“{row['kind']}” is not one of {', '.join(sorted(kinds))}."
    row["kind"] = kinds.get(words)


def _invoices(row: Row, known: Known, seen: set[str]) -> Iterator[tuple[str, str]]:
    row["key"] = row["number"]
    yield from _once(row, seen)
    try:
        row["customer_id"] = known.customer(row["customer"])
        known.require_open(row["date"])
    except ValueError as error:
        yield "Customer", str(error)
        return
    total, tax = row["total"], row.get("tax") or ZERO
    balance = total if row.get("balance") is None else row["balance"]
    if row.get("paid_on") and row.get("balance") is None:
        balance = ZERO
    row.update(tax=tax, balance=balance)
    paid_on = row.get("paid_on") or row["date"]
    row["paid_on"] = max(paid_on, row["date"])
    if total <= ZERO:
        yield "Total", "The total must be above zero."
    elif not ZERO <= tax <= total:
        yield "Of it sales tax", f"The tax cannot be {tax} of {total}."
    elif not ZERO <= balance <= total:
        yield "Still open", f"{balance} cannot be open on an invoice of {total}."
    if row["date"] > today():
        yield "Invoice date", "This date lies in the future."
    if row["number"].upper().startswith("INV-"):
        yield (
            "Invoice number",
            "Numbers beginning with INV- are given out here; use another prefix.",
        )


def _payments(row: Row, known: Known, seen: set[str]) -> Iterator[tuple[str, str]]:
    yield from _once(row, seen)
    try:
        row["customer_id"] = known.customer(row["customer"])
        known.require_open(row["date"])
    except ValueError as error:
        yield "Customer", str(error)
        return
    if row["amount"] <= ZERO:
        yield "Amount", "The amount must be above zero."
    if row["date"] > today():
        yield "Received on", "This date lies in the future."
    row["invoice_id"] = None
    if row.get("invoice"):
        found = known.invoices.get(row["invoice"])
        if found is None:
            yield "For invoice", f"There is no invoice “{row['invoice']}”."
        elif found[1] != row["customer_id"]:
            yield "For invoice", f"Invoice {row['invoice']} belongs to another customer."
        else:
            row["invoice_id"] = found[0]


def _once(row: Row, seen: set[str]) -> Iterator[tuple[str, str]]:
    if row["key"] in seen:
        yield "Number", f"“{row['key']}” stands in this file twice."


REFINE: dict[ImportSubject, Callable[[Row, Known, set[str]], Iterator[tuple[str, str]]]] = {
    ImportSubject.CUSTOMERS: _customers,
    ImportSubject.ITEMS: _items,
    ImportSubject.INVOICES: _invoices,
    ImportSubject.PAYMENTS: _payments,
}
