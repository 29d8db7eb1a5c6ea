"""Figures of the day, charts, a customer's timeline, and search over everything."""

from portal.reports.charts import bar_chart, calibration_chart, stacked_chart
from portal.reports.collected import Collected, collected_by_collector
from portal.reports.figure_papers import FiguresReport, figures_pdf, figures_workbook
from portal.reports.figure_words import FigureLine, amount_lines, figure_lines
from portal.reports.figures import (
    Figures,
    Range,
    dso_by_month,
    range_of,
    receivable_figures,
)
from portal.reports.home import HomeFigures, cash_by_month, home_figures, waiting_counts
from portal.reports.search import Hit, search_everything
from portal.reports.ties import Tie, control_ties
from portal.reports.timelines import customer_timeline, names_of_subjects

__all__ = [
    "Collected",
    "FigureLine",
    "Figures",
    "FiguresReport",
    "Hit",
    "HomeFigures",
    "Range",
    "Tie",
    "amount_lines",
    "bar_chart",
    "calibration_chart",
    "cash_by_month",
    "collected_by_collector",
    "control_ties",
    "customer_timeline",
    "dso_by_month",
    "figure_lines",
    "figures_pdf",
    "figures_workbook",
    "home_figures",
    "names_of_subjects",
    "range_of",
    "receivable_figures",
    "search_everything",
    "stacked_chart",
    "waiting_counts",
]
