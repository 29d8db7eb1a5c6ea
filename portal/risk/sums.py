"""Running sums per group, asked as of any day, for many rows at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DAYS = 1 << 20  # more than any day's ordinal: group and day make one sortable number


class RunningSums:
    """Dated amounts of groups; `at` adds up what each group had by the end of a day.

    It only ever looks back, so nothing computed from it can know the future.
    """

    def __init__(self, group: Ints, day: Ints, *columns: NDArray[Any]) -> None:
        keys = group * DAYS + day
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._sums = [np.concatenate([[0], np.cumsum(column[order])]) for column in columns]

    def at(self, group: Ints, day: Ints) -> list[NDArray[Any]]:
        """Each column's sum over the rows of the group dated that day or before."""
        first = np.searchsorted(self._keys, group * DAYS, "left")
        last = np.searchsorted(self._keys, group * DAYS + day, "right")
        return [sums[last] - sums[first] for sums in self._sums]


class LatestDays:
    """Dated rows of groups; `at` finds the newest day of each group up to a day."""

    def __init__(self, group: Ints, day: Ints) -> None:
        self._keys = np.sort(group * DAYS + day)

    def at(self, group: Ints, day: Ints, *, otherwise: Ints) -> Ints:
        """The newest day, or what `otherwise` says for a group without one."""
        if not len(self._keys):
            return otherwise
        place = np.searchsorted(self._keys, group * DAYS + day, "right") - 1
        found = self._keys[np.maximum(place, 0)]
        known = (place >= 0) & (found // DAYS == group)
        return np.where(known, found % DAYS, otherwise)
