"""What is not wrong with a file and still worth a look before it is saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from portal.db import db
from portal.models import Customer, ImportSubject
from portal.taxes import suggest_zone

NAMED = 10  # rows named in one sentence


class Hints:
    """Collects what stands out among the good rows of one file of customers."""

    def __init__(self, subject: ImportSubject) -> None:
        self._looks = subject is ImportSubject.CUSTOMERS
        self._names: set[str] = set()
        self._people: set[tuple[str, str]] = set()
        self._alike: list[int] = []
        self._namesakes: list[int] = []
        self._zoneless: list[int] = []
        self._in_a_zone: dict[str, bool] = {}
        if self._looks:
            for name, email in db.session.execute(sa.select(Customer.name, Customer.email)):
                self._remember(name, email)

    def note(self, number: int, row: dict[str, Any]) -> None:
        """Look at a good row; `number` is how the spreadsheet counts it."""
        if not self._looks:
            return
        name, email = row["name"].lower(), row["email"].lower()
        if email and (name, email) in self._people:
            self._alike.append(number)
        elif name in self._names:
            self._namesakes.append(number)
        if row.get("street") and not self._has_zone(row.get("postal_code") or ""):
            self._zoneless.append(number)
        self._remember(name, email)

    def sentences(self) -> list[str]:
        told = [
            (self._alike, "the same name and email as another customer, here or in this file. "
             "Saved like this they are two customers."),
            (self._namesakes, "a name that another customer has too. Invoices and payments must "
             "then name the customer number."),
            (self._zoneless, "an address in no tax zone, or in several. No sales tax is charged "
             "there until somebody chooses a zone."),
        ]  # fmt: skip
        return [f"{_rows(rows)} {words}" for rows, words in told if rows]

    def _remember(self, name: str, email: str) -> None:
        self._names.add(name.lower())
        self._people.add((name.lower(), email.lower()))

    def _has_zone(self, code: str) -> bool:
        if code not in self._in_a_zone:
            self._in_a_zone[code] = suggest_zone(code).zone is not None
        return self._in_a_zone[code]


def _rows(rows: Sequence[int]) -> str:
    if len(rows) == 1:
        return f"Row {rows[0]} has"
    named = ", ".join(str(number) for number in rows[:NAMED])
    more = len(rows) - NAMED
    return f"Rows {named} and {more:,} more have" if more > 0 else f"Rows {named} have"
