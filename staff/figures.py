"""The figures of receivables over any range of days: on screen, as PDF and as XLSX."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask import Blueprint, Response, send_file
from flask_babel import gettext as _

from portal.access import Ability
from portal.company import company, format_day, format_money, today
from portal.kernel.money import Money
from portal.reports import (
    FiguresReport,
    amount_lines,
    bar_chart,
    collected_by_collector,
    dso_by_month,
    figure_lines,
    figures_pdf,
    figures_workbook,
    range_of,
    receivable_figures,
)
from portal.risk import cash_forecast, newest_model
from portal.web import filters, needs, render_page

bp = Blueprint("figures", __name__, url_prefix="/figures")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class FiguresFilter:
    """The first and the last day; the last 90 days when empty."""

    start: date | None = None
    end: date | None = None


@bp.get("")
@needs(Ability.VIEW_FIGURES)
def index() -> Response:
    report = _report()
    months = dso_by_month(on=report.figures.range.end)
    return render_page(
        "staff/figures/index.html", report=report, lines=figure_lines(report.figures),
        amounts=amount_lines(report.figures), months=months, model=newest_model(),
        charts={
            "dso": _days_chart(months), "cash": _cash_chart(report),
            "collected": _collected_chart(report),
        },
    )  # fmt: skip


@bp.get("/xlsx")
@needs(Ability.VIEW_FIGURES)
def workbook() -> Response:
    report = _report()
    with figures_workbook(report) as file:
        content = io.BytesIO(file.read())
    return send_file(
        content, mimetype=XLSX, as_attachment=True,
        download_name=f"figures-{report.figures.range.end.isoformat()}.xlsx",
    )  # fmt: skip


@bp.get("/pdf")
@needs(Ability.VIEW_FIGURES)
def paper() -> Response:
    report = _report()
    return send_file(
        io.BytesIO(figures_pdf(report)), mimetype="application/pdf",
        download_name=f"figures-{report.figures.range.end.isoformat()}.pdf",
    )  # fmt: skip


def _report() -> FiguresReport:
    wanted = filters(FiguresFilter)
    asked = range_of(wanted.start, wanted.end, on=today())
    model = newest_model()
    return FiguresReport(
        receivable_figures(asked), collected_by_collector(asked),
        cash_forecast(model) if model else [],
    )  # fmt: skip


def _days_chart(months: list[tuple[date, Decimal | None]]) -> str:
    labels = [format_day(day, company().locale, "MMM yy") for day, _days in months]
    values = [float(days or 0) for _day, days in months]
    return bar_chart(labels, values, title=_("DSO, counted back"), say=lambda value: f"{value:.0f}")


def _cash_chart(report: FiguresReport) -> str:
    labels = [format_day(one.begins_on, company().locale, "d MMM") for one in report.forecast]
    return _money_chart(labels, [one.expected for one in report.forecast], _("Cash expected"))


def _collected_chart(report: FiguresReport) -> str:
    shown = report.collected[:12]
    return _money_chart(
        [one.collector or _("Nobody") for one in shown], [one.amount for one in shown],
        _("Collected"),
    )  # fmt: skip


def _money_chart(labels: list[str], amounts: list[Money], title: str) -> str:
    locale = company().locale
    return bar_chart(
        labels, [amount.cents / 100 for amount in amounts], title=title,
        say=lambda value: format_money(Money(round(value * 100)), locale),
    )  # fmt: skip
