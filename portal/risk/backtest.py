"""What tonight's way of learning would have been worth: learn as of an earlier day, then look.

Everything after that day is kept from the model that is measured, the calibration included.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from portal.risk.facts import Facts, Knowledge
from portal.risk.measuring import area_under_curve, brier, calibration, calibration_error
from portal.risk.rule import HEADLINE, WEEKS, rule_chance
from portal.risk.sums import Flags, Floats
from portal.risk.training import WEEK, Looks, TooShort, train

ENOUGH_LOOKS = 60


@dataclass(frozen=True)
class Measured:
    """Figures of looks that came later than anything the measured model had seen."""

    accuracy: dict[str, Any]

    @property
    def beats_the_rule(self) -> bool:
        """Ranks at least as well as the rule, and is nearer to what happened."""
        mine, rule = self.accuracy["auc"], self.accuracy["rule_auc"]
        if mine is None or rule is None:
            return False
        return bool(mine >= rule and self.accuracy["brier"] <= self.accuracy["rule_brier"])


def look_back(known: Knowledge, looks: Looks, *, on: int) -> Measured:
    """Learn as of a quarter of the history ago and measure on what came since.

    Raises TooShort when either part holds too little.
    """
    if not len(looks):
        raise TooShort("No invoice has been open for a week yet.")
    span = on - int(looks.day.min())
    since = on - max(span // 4, (WEEKS + 4) * WEEK)
    model = train(known, looks, on=since)
    later = looks.chosen((looks.day >= since) & (looks.day + HEADLINE * WEEK <= on))
    if len(later) < ENOUGH_LOOKS:
        raise TooShort(f"{len(later)} looks to measure by; {ENOUGH_LOOKS} are needed.")
    facts = known.facts(later.place, later.day)
    unpaid = known.book.unpaid_at(later.place, later.day + HEADLINE * WEEK)
    chances = model.unpaid_by_week(facts.matrix)[:, HEADLINE - 1]
    return Measured(
        _figures(chances, facts, unpaid)
        | {
            "invoices": len(np.unique(later.place)),
            "learned_until": date.fromordinal(since).isoformat(),
            "learned_looks": model.looks,
            "first": date.fromordinal(int(later.day.min())).isoformat(),
            "last": date.fromordinal(int(later.day.max())).isoformat(),
        }
    )


def _figures(chances: Floats, facts: Facts, unpaid: Flags) -> dict[str, Any]:
    """The model's figures beside those of the rule and of a customer's own habit."""
    rule = np.array([rule_chance(int(days)) for days in facts.days_past_due])
    habit = (facts.settled_late + 1) / (facts.settled + 2)
    groups = calibration(chances, unpaid)
    return {
        "looks": len(unpaid),
        "unpaid": int(unpaid.sum()),
        "auc": area_under_curve(chances, unpaid),
        "brier": brier(chances, unpaid),
        "calibration_error": calibration_error(groups),
        "calibration": groups,
        "rule_auc": area_under_curve(rule, unpaid),
        "rule_brier": brier(rule, unpaid),
        "habit_auc": area_under_curve(habit, unpaid),
    }
