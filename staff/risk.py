"""How likely open invoices stay unpaid, why, and how good such scores have been."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from portal.access import Ability
from portal.company import company, format_rate
from portal.kernel.numbers import Rate
from portal.models import RiskModel
from portal.reports import calibration_chart
from portal.risk import find_scores, newest_model, reason_words, reasons_from
from portal.web import needs, page_request, render_page

bp = Blueprint("risk", __name__, url_prefix="/risk")


@bp.get("")
@needs(Ability.VIEW_RECEIVABLES)
def index() -> Response:
    page = find_scores(request.args.get("q", ""), page_request())
    return render_page(
        "staff/risk/index.html", fragment="rows", page=page, model=newest_model(),
        percent=percent, reasons_from=reasons_from, reason_words=reason_words,
    )  # fmt: skip


@bp.get("/accuracy")
@needs(Ability.VIEW_RECEIVABLES)
def accuracy() -> Response:
    model = newest_model()
    measured = model if model and model.accuracy else None
    return render_page(
        "staff/risk/accuracy.html", model=model, percent=percent, figures=_figures(measured),
        chart=_chart(measured) if measured else None, days=_days(measured),
    )  # fmt: skip


def percent(share: Rate | float) -> str:
    """A chance as whole percents; it is not known better than that."""
    rate = share if isinstance(share, Rate) else Rate.of(str(share))
    return format_rate(round(rate.value, 2), company().locale)


def _days(model: RiskModel | None) -> dict[str, date]:
    """The days its accuracy was measured between."""
    names = ("first", "last", "learned_until")
    return {name: date.fromisoformat(model.accuracy[name]) for name in names} if model else {}


def _figures(model: RiskModel | None) -> list[tuple[str, str, list[float | None]]]:
    """Name, what it means, and its value for the score, the rule and a customer's habit alone."""
    if model is None:
        return []
    seen = model.accuracy
    return [
        (
            _("Ranking (AUC)"),
            _("Of one invoice that stayed unpaid and one that was paid, how often the first had "
              "the higher chance: 1 is always, 0.5 is a coin."),
            [seen["auc"], seen["rule_auc"], seen["habit_auc"]],
        ),
        (
            _("Distance (Brier)"),
            _("The mean square of how far off the chances were: 0 is perfect, 0.25 is a coin."),
            [seen["brier"], seen["rule_brier"], None],
        ),
        (
            _("Calibration error"),
            _("How far what was said and what happened lie apart on average in the table below."),
            [seen["calibration_error"], None, None],
        ),
    ]  # fmt: skip


def _chart(model: RiskModel) -> str:
    points = [(one["said"], one["happened"]) for one in model.accuracy["calibration"]]
    return calibration_chart(
        points, title=_("What happened"), line=_("Where both would be the same")
    )
