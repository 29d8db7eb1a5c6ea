"""Figures of the day, charts, a customer's timeline, and search over everything."""

from portal.reports.charts import bar_chart, stacked_chart
from portal.reports.home import HomeFigures, cash_by_month, home_figures, waiting_counts
from portal.reports.search import Hit, search_everything
from portal.reports.ties import Tie, control_ties
from portal.reports.timelines import customer_timeline, names_of_subjects

__all__ = [
    "Hit",
    "HomeFigures",
    "Tie",
    "bar_chart",
    "cash_by_month",
    "control_ties",
    "customer_timeline",
    "home_figures",
    "names_of_subjects",
    "search_everything",
    "stacked_chart",
    "waiting_counts",
]
