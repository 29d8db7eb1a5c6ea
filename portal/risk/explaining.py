"""From what each fact added to a score to its few reasons."""

from __future__ import annotations

import numpy as np

from portal.risk.facts import FACTS, Facts
from portal.risk.logistic import Logistic
from portal.risk.reasons import Reason
from portal.risk.sums import Floats

SHOWN = 3
FEELS = 0.12  # log odds: what moves a chance by less than three points is no reason

_ABOUT = list(dict.fromkeys(about for _name, about in FACTS))
_GROUP = np.array([_ABOUT.index(about) for _name, about in FACTS])


def reasons_by_model(model: Logistic, facts: Facts) -> list[list[Reason]]:
    """For each row the facts that moved its log odds most: what raises it first, then by size."""
    shares = model.shares(facts.matrix)
    moved = np.column_stack(
        [shares[:, place == _GROUP].sum(axis=1) for place in range(len(_ABOUT))]
    )
    first = np.argsort(-np.abs(moved), axis=1)[:, :SHOWN]
    return [_of_row(row, first[row], moved[row], facts) for row in range(len(moved))]


def reason_by_rule(days_past_due: int) -> list[Reason]:
    """The rule has one reason: the days past due."""
    return [Reason("age", days_past_due > 0, (days_past_due,))]


def _of_row(row: int, first: Floats, moved: Floats, facts: Facts) -> list[Reason]:
    reasons = []
    for place in first:
        about, share = _ABOUT[int(place)], float(moved[int(place)])
        if abs(share) >= FEELS:
            reasons.append(Reason(about, share > 0, _values(about, row, facts)))
    return sorted(reasons, key=lambda one: not one.raises)


def _values(about: str, row: int, facts: Facts) -> tuple[float, ...]:
    """The plain numbers that the words of a reason need."""
    match about:
        case "age":
            return (int(facts.days_past_due[row]),)
        case "habit":
            return (int(facts.settled_late[row]), int(facts.settled[row]))
        case "delay":
            return (round(float(facts.days_late[row]), 1),)
        case "experience":
            return (int(facts.settled[row]),)
        case "others":
            return (int(facts.others_late[row]),)
        case "silence":
            return (int(facts.since_payment[row]),)
        case "part":
            return (round(float(facts.paid_share[row]), 4),)
        case "amount":
            return (int(facts.open_cents[row]),)
        case _business:
            return (float(facts.matrix[row, -1]),)
