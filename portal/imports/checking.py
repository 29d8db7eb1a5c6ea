"""Reading every row and saying what is wrong with each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from portal.company import today
from portal.db import db
from portal.files import open_file
from portal.imports.hints import Hints
from portal.imports.reading import read_table
from portal.imports.shapes import SHAPES, Column
from portal.kernel.addresses import normal_email
from portal.kernel.money import ZERO
from portal.ledger import closed_sentence, is_open, is_own_number
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
from portal.payments import payment_types

Row = dict[str, Any]
KEPT = 5_000  # problems of one run; more than anybody mends in one go


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
    hints: list[str] = field(default_factory=list)
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
        self.types = {one.name.lower(): one.id for one in payment_types()}
        self.numbers: set[str] = set()
        if subject is ImportSubject.INVOICES:
            for pair in db.session.execute(
                sa.select(Invoice.reference_number, Invoice.document_number)
            ):
                self.numbers.update(number for number in pair if number)
        self.invoices: dict[str, tuple[int, int]] = {}
        if subject is ImportSubject.PAYMENTS:
            found = db.session.execute(
                sa.select(Invoice.id, Invoice.customer_id, Invoice.document_number)
            )
            self.invoices = {number: (row_id, who) for row_id, who, number in found if number}
        self.today = today()
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

    def date_problem(self, day: date) -> str | None:
        """Why nothing can be booked on that day, or None."""
        if day > self.today:
            return "This date lies in the future."
        month = day.replace(day=1)
        if month not in self._months:
            self._months[month] = is_open(day)
        return None if self._months[month] else closed_sentence(day)

    def _key_query(self) -> Any:
        column = {
            ImportSubject.CUSTOMERS: Customer.external_key,
            ImportSubject.ITEMS: PriceBookItem.code,
            ImportSubject.INVOICES: Invoice.external_key,
            ImportSubject.PAYMENTS: Payment.external_key,
        }[self.subject]
        return sa.select(column).where(column.is_not(None))


def check_file(run: ImportRun, *, told: Callable[[int], None], keep: int = KEPT) -> Checked:
    """Read the whole file; nothing is written. `told` is called with the rows read so far."""
    titles, rows = read_table(open_file(run.file_key), run.original_name)
    columns = [one for one in SHAPES[run.subject] if one.name in run.mapping]
    places = {one.name: titles.index(run.mapping[one.name]) for one in columns}
    known, checked, seen = Known(run.subject), Checked(), set[str]()
    hints = Hints(run.subject)
    refine = REFINE[run.subject]
    key = KEYS.get(run.subject, "key")
    for number, cells in rows:
        checked.total += 1
        if checked.total % 2000 == 0:
            told(checked.total)
        if _cell(cells, places.get(key, -1)).strip() in known.keys:
            checked.known += 1  # whatever else it says by now: it is here already
            continue
        row, problems = _read(columns, places, cells)
        problems = problems or list(refine(row, known, seen))
        if problems:
            checked.bad += 1
            room = max(keep - len(checked.problems), 0)
            checked.problems += [Problem(number, *one) for one in problems[:room]]
        else:
            seen.add(row["key"])
            hints.note(number, row)
            checked.rows.append(row)
    checked.hints = hints.sentences()
    return checked


def _read(
    columns: Sequence[Column], places: dict[str, int], cells: list[str]
) -> tuple[Row, list[tuple[str, str]]]:
    row, problems = Row(), []
    for column in columns:
        try:
            row[column.name] = _value(column, _cell(cells, places[column.name]))
        except ValueError as error:
            problems.append((column.label, str(error)))
    return row, problems


def _cell(cells: list[str], place: int) -> str:
    return cells[place] if 0 <= place < len(cells) else ""


def _value(column: Column, cell: str) -> Any:
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
    yield from _term(row, known)


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
    """What was paid without a date counts from the invoice's; a deposit may come before it."""
    row["key"] = row["number"]
    yield from _once(row, seen)
    yield from _number(row["number"], known)
    yield from _customer(row, known)
    yield from _term(row, known)
    if words := known.date_problem(row["date"]):
        yield "Invoice date", words
    if row.get("paid_on") and (words := known.date_problem(row["paid_on"])):
        yield "Paid on", words
    total, tax = row["total"], row.get("tax") or ZERO
    balance = total if row.get("balance") is None else row["balance"]
    if row.get("paid_on") and row.get("balance") is None:
        balance = ZERO
    row.update(tax=tax, balance=balance, paid_on=row.get("paid_on") or row["date"])
    if total <= ZERO:
        yield "Total", "The total must be above zero."
    elif not ZERO <= tax <= total:
        yield "Of it sales tax", f"The tax cannot be {tax} of {total}."
    elif not ZERO <= balance <= total:
        yield "Still open", f"{balance} cannot be open on an invoice of {total}."


def _number(number: str, known: Known) -> Iterator[tuple[str, str]]:
    if number in known.numbers:
        yield "Invoice number", f"Another invoice here has the number “{number}” already."
    elif is_own_number(number) or number.upper().startswith("INV-"):
        yield "Invoice number", f"Numbers like “{number}” are given out here; use another prefix."


def _customer(row: Row, known: Known) -> Iterator[tuple[str, str]]:
    try:
        row["customer_id"] = known.customer(row["customer"])
    except ValueError as error:
        yield "Customer", str(error)


def _term(row: Row, known: Known) -> Iterator[tuple[str, str]]:
    term = row.get("term")
    row["term_id"] = known.terms.get(term.lower()) if term else None
    if term and row["term_id"] is None:
        yield "Payment term", f"There is no payment term “{term}”. Add it in Settings first."


def _payments(row: Row, known: Known, seen: set[str]) -> Iterator[tuple[str, str]]:
    yield from _once(row, seen)
    yield from _customer(row, known)
    if words := known.date_problem(row["date"]):
        yield "Received on", words
    if row["amount"] <= ZERO:
        yield "Amount", "The amount must be above zero."
    kind = row.get("type")
    row["type_id"] = known.types.get(kind.lower()) if kind else None
    if kind and row["type_id"] is None:
        yield "Paid by", f"There is no payment type “{kind}”. Add it in Settings first."
    row["invoice_id"] = None
    if row.get("invoice"):
        found = known.invoices.get(row["invoice"])
        if found is None:
            yield "For invoice", f"There is no invoice “{row['invoice']}”."
        elif found[1] != row.get("customer_id", found[1]):
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
KEYS = {ImportSubject.INVOICES: "number", ImportSubject.ITEMS: "code"}
