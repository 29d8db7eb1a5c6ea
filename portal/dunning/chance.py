"""How likely is it that an invoice is not paid: a seam for the score, and a rule until it is there.

The rule reads lateness and what the customer did before; wiring may put a learned score in its
place (`score_by`). Every answer carries its reasons in words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app

from portal.company import today
from portal.db import db
from portal.kernel.numbers import Rate
from portal.models import Invoice, PromiseState, PromiseToPay

CHUNK = 1_000  # ids per statement
BY_LATENESS = ((90, 80), (60, 60), (30, 45), (0, 25))  # more than … days late → percent
NOT_LATE = 10
BROKEN, KEPT = 10, -10  # percent, for promises of the customer
KEY = "chance of not being paid"


@dataclass(frozen=True)
class Chance:
    """The probability that it is not paid without anybody doing anything, and why we think so."""

    rate: Rate
    reasons: tuple[str, ...] = ()


Scorer = Callable[[Collection[int]], Mapping[int, Chance]]


def score_by(scorer: Scorer | None) -> None:
    """Put a learned score in the rule's place; None takes it away. Called by wiring."""
    current_app.extensions[KEY] = scorer


def chance_of_not_paying(invoice_ids: Collection[int]) -> dict[int, Chance]:
    """By invoice; what the score does not know is answered by the rule."""
    scorer: Scorer | None = current_app.extensions.get(KEY)
    known = dict(scorer(invoice_ids)) if scorer else {}
    missing = set(invoice_ids) - known.keys()
    return known | chance_by_rule(missing)


def chance_by_rule(invoice_ids: Collection[int]) -> dict[int, Chance]:
    """By lateness and by promises kept and broken; a statement per thousand."""
    wanted, found, on = sorted(set(invoice_ids)), {}, today()
    for start in range(0, len(wanted), CHUNK):
        ids = wanted[start : start + CHUNK]
        columns = (Invoice.id, Invoice.customer_id, Invoice.due_date)
        rows = db.session.execute(sa.select(*columns).where(Invoice.id.in_(ids))).all()
        record = _promises({row.customer_id for row in rows})
        for row in rows:
            late = (on - row.due_date).days if row.due_date else 0
            found[row.id] = _by_rule(late, *record.get(row.customer_id, (0, 0)))
    return found


def _by_rule(late: int, kept: int, broken: int) -> Chance:
    percent = next((share for days, share in BY_LATENESS if late > days), NOT_LATE)
    reasons = [f"{late} days late"] if late > 0 else []
    if broken:
        percent += BROKEN
        reasons.append(f"promises broken: {broken}")
    if kept:
        percent += KEPT
        reasons.append(f"promises kept: {kept}")
    return Chance(Rate.percent(min(max(percent, 1), 99)), tuple(reasons))


def _promises(customer_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """By customer: how many promises were kept, how many broken."""

    def counted(state: PromiseState) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((PromiseToPay.state == state, 1), else_=0))

    query = (
        sa.select(
            PromiseToPay.customer_id, counted(PromiseState.KEPT), counted(PromiseState.BROKEN)
        )
        .where(PromiseToPay.customer_id.in_(customer_ids))
        .group_by(PromiseToPay.customer_id)
    )
    return {one: (kept or 0, broken or 0) for one, kept, broken in db.session.execute(query)}
