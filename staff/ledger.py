"""The books: journal, the activity of an account, trial balance as of a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from portal.access import Ability
from portal.company import today
from portal.kernel.money import Money
from portal.ledger import (
    EntryFilter,
    TrialBalanceRow,
    account_activity,
    find_entries,
    get_account,
    hledger_text,
    payments_of,
    trial_balance,
)
from portal.models import JournalEntry
from portal.reports import control_ties
from portal.web import filters, needs, page_request, render_page

bp = Blueprint("ledger", __name__, url_prefix="/ledger")


@bp.get("")
@needs(Ability.VIEW_LEDGER)
def journal() -> Response:
    page = find_entries(filters(EntryFilter), page_request(size=25))
    return render_page(
        "staff/ledger/journal.html", fragment="rows", page=page, links=links_of(page.rows)
    )


@bp.get("/accounts/<int:account_id>")
@needs(Ability.VIEW_LEDGER)
def activity(account_id: int) -> Response:
    account = get_account(account_id)
    found = account_activity(account, filters(EntryFilter), page_request())
    links = links_of([row.line.entry for row in found.rows])
    return render_page(
        "staff/ledger/activity.html", fragment="rows", account=account, activity=found,
        page=found.page, links=links,
    )  # fmt: skip


@bp.get("/trial-balance")
@needs(Ability.VIEW_LEDGER)
def balance() -> Response:
    on = _day("on")
    rows = [row for row in trial_balance(on) if row.balance]
    return render_page(
        "staff/ledger/trial_balance.html", fragment="rows", rows=rows, on=on,
        debits=_sum(rows, 1), credits=_sum(rows, -1),
    )  # fmt: skip


@bp.get("/trial-balance/ties")
@needs(Ability.VIEW_LEDGER)
def ties() -> Response:
    """Asked for by the trial balance after it is shown: adding up documents takes longer."""
    on = _day("on")
    return render_page("staff/ledger/ties.html", fragment="ties", ties=control_ties(on=on), on=on)


@bp.get("/journal.hledger")
@needs(Ability.VIEW_LEDGER)
def download() -> Response:
    text = "".join(hledger_text())
    name = f"journal-{today().isoformat()}.journal"
    return Response(
        text, mimetype="text/plain", headers={"Content-Disposition": f"attachment; filename={name}"}
    )


def links_of(entries: Iterable[JournalEntry]) -> dict[int, tuple[str, str]]:
    """Per entry the page that explains it: its address and what it is called."""
    rows = {one.id: (one.source_kind, one.source_id) for one in entries}
    applied = payments_of({row for kind, row in rows.values() if kind == "paymentapplication"})
    links = {}
    for entry_id, (kind, row_id) in rows.items():
        if kind == "invoice":
            links[entry_id] = (url_for("staff.invoices.show", invoice_id=row_id), _("Invoice"))
        elif kind in ("payment", "paymentapplication"):
            payment = applied.get(row_id) if kind == "paymentapplication" else row_id
            links[entry_id] = (url_for("staff.payments.show", payment_id=payment), _("Payment"))
    return links


def _day(name: str) -> date:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return today()


def _sum(rows: Iterable[TrialBalanceRow], side: int) -> Money:
    amounts = [row.balance.cents * side for row in rows]
    return Money(sum(cents for cents in amounts if cents > 0))
