"""What was owed at the end of each of the last twelve months, by age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from portal.kernel.calendar import add_months, month_end
from portal.receivables.aging import AgingRow, aging_totals

MONTHS = 12


@dataclass(frozen=True)
class MonthOfAging:
    """All open balances at the end of one day, a month's last or the day asked for."""

    on: date
    figures: AgingRow


def aging_by_month(*, on: date) -> list[MonthOfAging]:
    """Eleven month ends and the day itself, the oldest first, each as the page showed it then."""
    ends = [month_end(add_months(on, -back, day=1)) for back in range(MONTHS - 1, 0, -1)]
    return [MonthOfAging(day, aging_totals(on=day)) for day in [*ends, on]]
