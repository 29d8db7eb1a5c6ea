"""Do reminders help: who was reminded against the control group, with the interval of the doubt.

Counted are cases that began long enough ago: paid within the days of the trial, or not. The
interval of the difference is Newcombe's (1998, method 10) from two Wilson intervals; it behaves
for small groups and for shares near 0 and 1, where the usual formula does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

import sqlalchemy as sa

from portal.company import today
from portal.db import db
from portal.dunning.rules import dunning_rules
from portal.models import CaseEnd, DunningCase, DunningStep, StepState

Z = 1.959964  # 95 %
FEWEST = 30  # cases in each group before the interval says anything


@dataclass(frozen=True)
class Group:
    """How many cases, and how many of them were paid in time."""

    cases: int
    paid: int

    @property
    def share(self) -> float:
        return self.paid / self.cases if self.cases else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of the share at 95 %."""
        return wilson(self.paid, self.cases)


@dataclass(frozen=True)
class Uplift:
    """The difference of the shares, reminded less control, and what it lies between."""

    reminded: Group
    control: Group
    days: int
    difference: float
    low: float
    high: float

    @property
    def is_enough(self) -> bool:
        """Whether both groups are large enough to say anything."""
        return min(self.reminded.cases, self.control.cases) >= FEWEST

    @property
    def is_sure(self) -> bool:
        """Whether no difference at all lies outside the interval."""
        return self.is_enough and (self.low > 0 or self.high < 0)


def uplift() -> Uplift:
    """Both groups as of today, of cases at least as old as the trial takes."""
    days = dunning_rules().control_days
    reminded, control = _group(False, days), _group(True, days)
    low, high = difference_interval(reminded, control)
    return Uplift(reminded, control, days, reminded.share - control.share, low, high)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Wilson's score interval of a share at 95 %; everything when nothing was counted."""
    if not of:
        return 0.0, 1.0
    share, square = hits / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def difference_interval(one: Group, other: Group) -> tuple[float, float]:
    """Newcombe's interval of `one` less `other`."""
    if not one.cases or not other.cases:
        return -1.0, 1.0
    (low1, high1), (low2, high2) = one.interval, other.interval
    gap = one.share - other.share
    low = gap - sqrt((one.share - low1) ** 2 + (high2 - other.share) ** 2)
    high = gap + sqrt((high1 - one.share) ** 2 + (other.share - low2) ** 2)
    return max(low, -1.0), min(high, 1.0)


def _group(control: bool, days: int) -> Group:
    """Only cases that chance decided about: where the control group would have been reminded."""
    until = today() - timedelta(days=days)
    tried = sa.select(DunningStep.case_id).where(
        DunningStep.state == (StepState.SKIPPED if control else StepState.DONE),
        DunningStep.done_at.is_not(None),
    )
    paid = sa.and_(
        DunningCase.ended == CaseEnd.PAID,
        DunningCase.closed_on <= _after(days),
    )
    query = sa.select(sa.func.count(), sa.func.sum(sa.case((paid, 1), else_=0))).where(
        DunningCase.control == control, DunningCase.opened_on <= until, DunningCase.id.in_(tried)
    )
    count, hits = db.session.execute(query).one()
    return Group(count, hits or 0)


def _after(days: int) -> sa.ColumnElement[date]:
    """The last day of each case's trial, on both engines."""
    if db.engine.dialect.name == "postgresql":
        return sa.type_coerce(DunningCase.opened_on + sa.literal(days, sa.Integer), sa.Date)
    return sa.type_coerce(sa.func.date(DunningCase.opened_on, f"+{days} days"), sa.Date)
