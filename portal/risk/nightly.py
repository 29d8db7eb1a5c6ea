"""Each night: learn anew, measure, score every open invoice.

Reading and computing hold no lock; scores are written a chunk at a time, so that nobody waits
for long. A night that breaks off leaves older scores, and the next one replaces them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import sqlalchemy as sa

from portal.company import today
from portal.db import db, in_transaction, reading
from portal.kernel import clock
from portal.kernel.money import Money
from portal.kernel.numbers import Rate
from portal.models import RiskMethod, RiskModel, RiskScore
from portal.risk.backtest import Measured, look_back
from portal.risk.book import Book, read_book
from portal.risk.explaining import reason_by_rule, reasons_by_model
from portal.risk.facts import FACTS, Knowledge
from portal.risk.reasons import Reason
from portal.risk.rule import HEADLINE, WEEKS, as_rate, rule_by_week
from portal.risk.sums import Ints
from portal.risk.training import TooShort, Trained, find_looks, train

CHUNK = 1000  # scores per transaction
KEPT = timedelta(days=400)  # of what earlier nights learned


def learn_and_score() -> int:
    """Learn from everything known today and score what is open; how many were scored."""
    on = today()
    db.session.rollback()
    with reading():
        book = read_book(on=on)
        db.session.rollback()
    known = Knowledge(book)
    model, trained = learn(known, on=on)
    rows = score_rows(known, trained, _open_places(book, on), on=on)
    model.left_by_week = _left_by_week(rows)
    model_id = in_transaction(lambda: _keep(model))
    for start in range(0, len(rows), CHUNK):
        in_transaction(lambda: _write(model_id, on, rows[start : start + CHUNK]))  # noqa: B023
    in_transaction(lambda: _forget(model_id, on))
    return len(rows)


def _open_places(book: Book, on: date) -> Ints:
    """Where the invoices stand in the book that are open at the end of that day."""
    place = np.flatnonzero(book.closed_for_good > on.toordinal())
    return place[book.open_at(place, np.full(len(place), on.toordinal())) > 0]


def _left_by_week(rows: Sequence[Scored]) -> list[int]:
    """Cents open today, then what should be left after each week: Σ open × chance."""
    now = Money.total(one.open for one in rows)
    after = [
        Money.total(one.open.times(as_rate(one.weeks[week])) for one in rows)
        for week in range(WEEKS)
    ]
    return [amount.cents for amount in (now, *after)]


def learn(known: Knowledge, *, on: date) -> tuple[RiskModel, Trained | None]:
    """What the history teaches by that day; without enough of it, or when it measures worse
    than the plain rule, the rule and the reason why."""
    day = on.toordinal()
    looks = find_looks(known, until=day)
    measured: Measured | None = None
    try:
        measured = look_back(known, looks, on=day)
        if not measured.beats_the_rule:
            raise TooShort("What was learned measured no better than the plain rule.")
        trained = train(known, looks, on=day)
    except TooShort as error:
        accuracy = measured.accuracy if measured else {}
        rule = RiskModel(method=RiskMethod.RULE, trained_on=on, because=str(error),
                         looks=0, invoices=0, parameters={}, accuracy=accuracy)  # fmt: skip
        return rule, None
    model = RiskModel(
        method=RiskMethod.LEARNED, trained_on=on, looks=trained.looks, invoices=trained.invoices,
        learned_from=date.fromordinal(trained.first), learned_to=date.fromordinal(trained.last),
        accuracy=measured.accuracy, parameters={
            "facts": [name for name, _about in FACTS],
            "weeks": [asdict(one) for one in trained.weeks],
        },
    )  # fmt: skip
    return model, trained


@dataclass(frozen=True)
class Scored:
    """One open invoice, its chance one to eight weeks on, and why."""

    invoice_id: int
    open: Money
    weeks: list[float]
    reasons: list[Reason]

    @property
    def chance(self) -> Decimal:
        return as_rate(self.weeks[HEADLINE - 1])


def score_rows(known: Knowledge, trained: Trained | None, place: Ints, *, on: date) -> list[Scored]:
    """Chance, weeks and reasons of these invoices as of a day; places are the book's."""
    facts = known.facts(place, np.full(len(place), on.toordinal()))
    if trained is None:
        late = [int(days) for days in facts.days_past_due]
        weeks, reasons = [rule_by_week(one) for one in late], [reason_by_rule(one) for one in late]
    else:
        weeks = np.round(trained.unpaid_by_week(facts.matrix), 4).tolist()
        reasons = reasons_by_model(trained.weeks[HEADLINE - 1], facts)
    ids, amounts = known.book.invoice_id[place].tolist(), facts.open_cents.tolist()
    return [
        Scored(one, Money(cents), week, why)
        for one, cents, week, why in zip(ids, amounts, weeks, reasons, strict=True)
    ]


def _keep(model: RiskModel) -> int:
    db.session.add(model)
    db.session.flush()
    return model.id


def _write(model_id: int, on: date, rows: Sequence[Scored]) -> None:
    """Replace the scores of these invoices."""
    ids = [one.invoice_id for one in rows]
    db.session.execute(sa.delete(RiskScore).where(RiskScore.invoice_id.in_(ids)))
    same = {"model_id": model_id, "scored_on": on, "created_at": clock.now()}
    db.session.execute(sa.insert(RiskScore), [_values(one) | same for one in rows])


def _values(one: Scored) -> dict[str, Any]:
    return {
        "invoice_id": one.invoice_id,
        "chance": Rate.of(one.chance),
        "at_risk": one.open.times(one.chance),
        "unpaid_by_week": one.weeks,
        "reasons": [reason.as_json() for reason in one.reasons],
    }


def _forget(model_id: int, on: date) -> None:
    """Scores of invoices that are settled since, and what was learned long ago."""
    db.session.execute(sa.delete(RiskScore).where(RiskScore.model_id != model_id))
    db.session.execute(
        sa.delete(RiskModel).where(RiskModel.id != model_id, RiskModel.trained_on < on - KEPT)
    )
