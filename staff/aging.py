"""Aging in other ways: by group, net of credit, over twelve months, as a workbook."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, send_file
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from markupsafe import Markup

from portal.access import Ability
from portal.company import company, format_day, format_money, today
from portal.customers import customer_types
from portal.kernel.money import Money
from portal.receivables import (
    AgingBy,
    AgingView,
    MonthOfAging,
    aging_by_month,
    aging_totals,
    aging_workbook,
    grouped_aging,
    open_list,
    receivable_booked,
)
from portal.reports import stacked_chart
from portal.web import filters, needs, page_request, render_page
from staff.choices import units

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS = [
    ("current", later("Current")),
    ("days_1_30", later("1–30")),
    ("days_31_60", later("31–60")),
    ("days_61_90", later("61–90")),
    ("days_over_90", later("91+")),
    ("no_term", later("No term")),
]
GROUPS = {
    AgingBy.CUSTOMER: later("Customer"),
    AgingBy.LOCATION: later("Location"),
    AgingBy.BUSINESS_UNIT: later("Business unit"),
    AgingBy.COLLECTOR: later("Collector"),
}

bp = Blueprint("aging", __name__, url_prefix="/receivables/aging")


@bp.get("")
@needs(Ability.VIEW_RECEIVABLES)
def index() -> Response:
    view = filters(AgingView)
    on = view.on or today()
    found = grouped_aging(view, page_request(), on=on)
    return render_page(
        "staff/aging/index.html", fragment="rows", view=view, on=on, found=found, page=found.page,
        booked=receivable_booked(on=on), owed=aging_totals(on=on).total, columns=COLUMNS,
        groups=GROUPS, **_choices(),
    )  # fmt: skip


@bp.get("/invoices")
@needs(Ability.VIEW_RECEIVABLES)
def items() -> Response:
    """The invoices behind a group."""
    view = filters(AgingView)
    on = view.on or today()
    page, total = open_list(view, page_request(), on=on)
    return render_page(
        "staff/aging/items.html", fragment="rows", page=page, total=total, on=on, view=view,
        **_choices(),
    )  # fmt: skip


@bp.get("/months")
@needs(Ability.VIEW_RECEIVABLES)
def months() -> Response:
    on = filters(AgingView).on or today()
    rows = aging_by_month(on=on)
    return render_page(
        "staff/aging/months.html", rows=rows, on=on, columns=COLUMNS, chart=_chart(rows)
    )


@bp.get("/workbook.xlsx")
@needs(Ability.VIEW_RECEIVABLES)
def workbook() -> Response:
    view = filters(AgingView)
    on = view.on or today()
    name = f"aging-{on.isoformat()}.xlsx"
    return send_file(
        aging_workbook(view, on=on), mimetype=XLSX, as_attachment=True, download_name=name
    )


def _choices() -> dict[str, Any]:
    return {
        "units": [(str(one.id), one.name) for one in units()],
        "types": [(str(one.id), one.name) for one in customer_types()],
        "ways": [("yes", _("Net of credit"))],
    }


def _chart(rows: list[MonthOfAging]) -> Markup:
    locale, currency = company().locale, company().currency
    labels = [format_day(row.on, locale, "short") for row in rows]
    series = [
        (str(title), [getattr(row.figures, key).cents / 100 for row in rows])
        for key, title in COLUMNS
    ]
    return stacked_chart(
        labels, series, say=lambda value: format_money(Money(round(value * 100)), locale, currency)
    )
