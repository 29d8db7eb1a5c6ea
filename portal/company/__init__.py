"""The company that uses the installation: its row, its day, its ways of writing numbers."""

from portal.company.formats import (
    format_day,
    format_instant,
    format_money,
    format_quantity,
    format_rate,
)
from portal.company.profile import company, today

__all__ = [
    "company",
    "format_day",
    "format_instant",
    "format_money",
    "format_quantity",
    "format_rate",
    "today",
]
