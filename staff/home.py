"""Today: what waits, what is late, what came in."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext as _

from portal.access import Ability
from portal.company import company, format_day, format_money, today
from portal.invoices import approvals_waiting
from portal.kernel.money import Money
from portal.payment_collection import charges_needing_somebody, money_back_waiting, waiting_online
from portal.receivables import aging_totals
from portal.reports import HomeFigures, bar_chart, cash_by_month, home_figures
from portal.sendings import not_sent_by_rule
from portal.web import PageRequest, current_user, may, needs, render_page, signed_in_user
from staff.first_steps import first_steps

bp = Blueprint("home", __name__)


@bp.get("/")
@needs(Ability.SEE_HOME)
def show() -> Response:
    user = current_user()
    if user is not None and Ability.VIEW_RECEIVABLES not in user.role.abilities:
        return render_page("staff/home/show.html", figures=None, first_steps=[], to_approve=None)
    on = today()
    figures, totals = home_figures(on=on), aging_totals(on=on)
    buckets = [
        (_("Current"), totals.current),
        (_("1–30"), totals.days_1_30),
        (_("31–60"), totals.days_31_60),
        (_("61–90"), totals.days_61_90),
        (_("Over 90"), totals.days_over_90),
    ]
    locale = company().locale
    cash = [(format_day(month, locale, "MMM yy"), amount) for month, amount in cash_by_month(on=on)]
    return render_page(
        "staff/home/show.html",
        figures=figures,
        to_approve=approvals_waiting() if may(Ability.APPROVE_INVOICES) else None,
        first_steps=first_steps(signed_in_user()) if _is_empty(figures, cash, totals.total) else [],
        buckets=buckets,
        aging_chart=_chart(buckets, _("Open by days past due")),
        cash=cash,
        cash_chart=_chart(cash, _("Cash received")),
        owed=totals.total,
        online_waiting=waiting_online() if may(Ability.RECONCILE) else None,
        money_back=money_back_waiting() if may(Ability.VIEW_PAYMENTS) else None,
        left_out=not_sent_by_rule(PageRequest(size=10)).total,
        failed_charges=charges_needing_somebody(),
    )


def _is_empty(figures: HomeFigures, cash: list[tuple[str, Money]], owed: Money) -> bool:
    """Nothing waits, nothing is owed and no money ever came: a company that just begins."""
    waiting = figures.to_review + figures.to_post + figures.overdue + figures.jobs_open
    return not waiting and not owed and not any(amount for _month, amount in cash)


def _chart(pairs: list[tuple[str, Money]], title: str) -> str:
    locale = company().locale
    return bar_chart(
        [label for label, _amount in pairs],
        [amount.cents / 100 for _label, amount in pairs],
        title=title,
        say=lambda value: format_money(Money(round(value * 100)), locale),
    )
