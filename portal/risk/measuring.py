"""How good chances were: who ranks first, how far off, and do they mean what they say."""

from __future__ import annotations

from typing import Any

import numpy as np

from portal.risk.sums import Flags, Floats

GROUPS = 10


def area_under_curve(chances: Floats, outcome: Flags) -> float | None:
    """The chance that one that stayed unpaid ranks above one that was paid (ties count half).

    None when only one of the two happened.
    """
    unpaid, paid = int(outcome.sum()), int((~outcome).sum())
    if not unpaid or not paid:
        return None
    _values, place, count = np.unique(chances, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    above = rank[outcome].sum() - unpaid * (unpaid + 1) / 2
    return float(above / (unpaid * paid))


def brier(chances: Floats, outcome: Flags) -> float:
    """The mean square of how far off the chances were: 0 is perfect, 0.25 a coin."""
    return float(np.mean((chances - outcome) ** 2))


def calibration(chances: Floats, outcome: Flags) -> list[dict[str, Any]]:
    """Ten equal groups by chance: what was said, what happened, how many."""
    order = np.argsort(chances, kind="stable")
    groups = [part for part in np.array_split(order, GROUPS) if len(part)]
    return [
        {
            "said": round(float(chances[part].mean()), 4),
            "happened": round(float(outcome[part].mean()), 4),
            "looks": len(part),
        }
        for part in groups
    ]


def calibration_error(groups: list[dict[str, Any]]) -> float:
    """The mean distance between what was said and what happened, weighed by looks."""
    looks = sum(one["looks"] for one in groups)
    off = sum(abs(one["said"] - one["happened"]) * one["looks"] for one in groups)
    return float(off / looks) if looks else 0.0
