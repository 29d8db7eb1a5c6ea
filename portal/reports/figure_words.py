"""What each figure is called, its unit and what it means: for the page, the PDF and the XLSX."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from flask_babel import gettext as _

from portal.company import company, format_money, format_quantity
from portal.kernel.money import Money
from portal.reports.figures import Figures

TENTH = Decimal("0.1")


@dataclass(frozen=True)
class FigureLine:
    """One figure; without a value it does not exist for these days."""

    name: str
    value: Money | Decimal | int | None
    unit: str
    meaning: str

    @property
    def shown(self) -> str:
        """The value with its unit as people read it."""
        if self.value is None:
            return "—"
        locale = company().locale
        if isinstance(self.value, Money):
            return format_money(self.value, locale, company().currency)
        return f"{format_quantity(Decimal(self.value), locale)} {self.unit}".strip()


def figure_lines(figures: Figures) -> list[FigureLine]:
    """The figures in the order they are read, days and per cents to one decimal."""
    days, percent = _("days"), "%"
    return [
        FigureLine(_("DSO"), _tenth(figures.dso), days,
                   _("Owed at the end ÷ billed × days: how many days of billing are still owed.")),
        FigureLine(_("DSO, counted back"), _tenth(figures.dso_countback), days,
                   _("Months of billing, newest first, until they use up what is owed.")),
        FigureLine(_("Best possible DSO"), _tenth(figures.best_dso), days,
                   _("The DSO if everybody paid on the due date: not yet due ÷ billed × days.")),
        FigureLine(_("Average days delinquent"), _tenth(figures.days_delinquent), days,
                   _("DSO less the best possible: past due ÷ billed × days.")),
        FigureLine(_("Collection effectiveness (CEI)"), _tenth(figures.cei), percent,
                   _("Of what could be collected, what was: (owed at the start + billed − owed at "
                     "the end) ÷ (owed at the start + billed − not yet due at the end).")),
        FigureLine(_("Promises kept"), _tenth(figures.promise_rate), percent,
                   _("%(k)s kept and %(b)s broken in these days.", k=figures.promises_kept,
                     b=figures.promises_broken)),
        FigureLine(_("Invoices disputed"), _tenth(figures.dispute_rate), percent,
                   _("%(d)s of the %(n)s invoices dated in these days.", d=figures.disputed,
                     n=figures.invoices)),
    ]  # fmt: skip


def amount_lines(figures: Figures) -> list[FigureLine]:
    """The amounts the figures are made of, so that anybody can compute them again."""
    return [
        FigureLine(_("Owed at the start"), figures.began, "", ""),
        FigureLine(_("Billed"), figures.billed, "",
                   _("Final invoices, interest and adjustments with tax, less credit notes.")),
        FigureLine(_("Owed at the end"), figures.ended, "", ""),
        FigureLine(_("… of it not yet due"), figures.not_due, "",
                   _("Invoices without a term count here.")),
        FigureLine(_("… of it past due"), figures.overdue, "", ""),
    ]  # fmt: skip


def _tenth(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(TENTH, rounding=ROUND_HALF_UP)
