"""The chance that an open invoice stays unpaid, learned from the installation's own history."""

from portal.risk.reading import (
    Risk,
    WeekOfCash,
    cash_forecast,
    find_scores,
    newest_model,
    risk_by_rule,
    risks_of,
    scored,
)
from portal.risk.reasons import Reason, reason_words, reasons_from


def score_invoices() -> int:
    """Learn and score anew; numpy is read by who does this, not by every process."""
    from portal.risk.nightly import learn_and_score

    return learn_and_score()


__all__ = [
    "Reason",
    "Risk",
    "WeekOfCash",
    "cash_forecast",
    "find_scores",
    "newest_model",
    "reason_words",
    "reasons_from",
    "risk_by_rule",
    "risks_of",
    "score_invoices",
    "scored",
]
