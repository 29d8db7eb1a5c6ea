"""Accounting periods: what is closed, closing up to a month, opening one again."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, abort, request
from flask_babel import gettext as _

from portal.access import Ability
from portal.company import company, today
from portal.kernel.calendar import fiscal_year
from portal.ledger import close_through, months_of, reopen_month, to_close
from portal.web import needs, notify, redirect_to, render_page
from portal.web.set_up import month as month_words

bp = Blueprint("periods", __name__, url_prefix="/periods")


@bp.get("")
@needs(Ability.VIEW_LEDGER)
def index() -> Response:
    this = _fiscal_year(today())
    year = min(max(request.args.get("year", this, type=int), 1990), this + 1)
    return render_page(
        "staff/periods/index.html", months=months_of(year), year=year, this=this, on=today()
    )


@bp.get("/<month>/closing")
@needs(Ability.CLOSE_PERIODS)
def look(month: str) -> Response:
    """What closing means, before anybody presses the button."""
    day = _month(month)
    return render_page("staff/periods/closing.html", month=day, months=to_close(day))


@bp.post("/<month>/closing")
@needs(Ability.CLOSE_PERIODS)
def close(month: str) -> Response:
    day = _month(month)
    closed = close_through(day)
    notify(_("Closed: %(n)s.", n=", ".join(month_words(one) for one in closed) or _("nothing")))
    return redirect_to("staff.periods.index", year=_fiscal_year(day))


@bp.get("/<month>/opening")
@needs(Ability.OPEN_PERIODS)
def think(month: str) -> Response:
    """What opening means, before anybody presses the button."""
    day = _month(month)
    found = next(one for one in months_of(_fiscal_year(day)) if one.starts_on == day)
    return render_page(
        "staff/periods/opening.html", month=day, is_open=found.is_open, entries=found.entries
    )


@bp.post("/<month>/opening")
@needs(Ability.OPEN_PERIODS)
def reopen(month: str) -> Response:
    day = _month(month)
    reopen_month(day)
    notify(_("%(m)s takes entries again.", m=month_words(day)))
    return redirect_to("staff.periods.index", year=_fiscal_year(day))


def _fiscal_year(day: date) -> int:
    return fiscal_year(day, first_month=company().fiscal_year_first_month)


def _month(word: str) -> date:
    """2026-02 as its first day; anything else does not exist."""
    try:
        return date.fromisoformat(f"{word}-01")
    except ValueError:
        abort(404)
