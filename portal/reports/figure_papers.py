"""The figures as a workbook and as a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from flask_babel import gettext as _

from portal.company import company
from portal.documents import Sheet, letterhead, render_pdf, write_workbook
from portal.reports.collected import Collected
from portal.reports.figure_words import amount_lines, figure_lines
from portal.reports.figures import Figures
from portal.risk import WeekOfCash


@dataclass(frozen=True)
class FiguresReport:
    """Everything the figures page shows for one range."""

    figures: Figures
    collected: Sequence[Collected]
    forecast: Sequence[WeekOfCash]


def figures_workbook(report: FiguresReport) -> IO[bytes]:
    """One sheet for the figures, one for the collectors, one for the cash that is expected."""
    asked = report.figures.range
    lines = [*figure_lines(report.figures), *amount_lines(report.figures)]
    span = (_("Days"), asked.days, "", f"{asked.start.isoformat()} – {asked.end.isoformat()}")
    return write_workbook([
        Sheet(_("Figures"), [_("Figure"), _("Value"), _("Unit"), _("Meaning")],
              [span, *((one.name, one.value, one.unit, one.meaning) for one in lines)]),
        Sheet(_("Collected"), [_("Collector"), _("Collected"), _("After the due date")],
              [(one.collector or _("Nobody"), one.amount, one.late) for one in report.collected]),
        Sheet(_("Cash expected"), [_("Week from"), _("Expected"), _("Then still open")],
              [(one.begins_on, one.expected, one.left) for one in report.forecast]),
    ])  # fmt: skip


def figures_pdf(report: FiguresReport) -> bytes:
    """The same on paper, in the company's language."""
    return render_pdf(
        "documents/figures.html", language=company().locale.split("_")[0],
        paper=company().paper.value, head=letterhead(), report=report,
        lines=figure_lines(report.figures), amounts=amount_lines(report.figures),
    )  # fmt: skip
