"""Planned charges: what comes, what failed, and the buttons for each."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from portal.access import Ability
from portal.models import ChargeSource, PlannedCharge
from portal.payment_collection import (
    ChargeFilter,
    ChargeSort,
    cancel_planned,
    charges_needing_somebody,
    find_charges,
    get_charge,
    try_again_today,
)
from portal.web import (
    filters,
    needs,
    notify,
    page_before,
    page_request,
    render_page,
    signed_in_user,
)

bp = Blueprint("planned_charges", __name__, url_prefix="/planned-charges")

STATES = {
    ChargeSort.NEEDS_SOMEBODY: later("Failed or held"),
    ChargeSort.WAITING: later("Waiting"),
    ChargeSort.CHARGING: later("Charging"),
    ChargeSort.FAILED: later("Failed, tried again"),
    ChargeSort.GIVEN_UP: later("Given up"),
    ChargeSort.SUCCEEDED: later("Succeeded"),
    ChargeSort.CANCELLED: later("Cancelled"),
}
SOURCES = {
    ChargeSource.AUTOPAY: later("Autopay"),
    ChargeSource.PLAN: later("Payment plan"),
    ChargeSource.BULK: later("Bulk charge"),
}


@bp.get("")
@needs(Ability.VIEW_PAYMENTS)
def index() -> Response:
    return render_page(
        "staff/planned_charges/index.html", fragment="rows",
        page=find_charges(filters(ChargeFilter), page_request()),
        failed=charges_needing_somebody(),
        states=[(one.value, words) for one, words in STATES.items()],
        sources=[(one.value, words) for one, words in SOURCES.items()],
    )  # fmt: skip


@bp.post("/<int:charge_id>/again")
@needs(Ability.CHARGE_METHODS)
def again(charge_id: int) -> Response:
    charge = try_again_today(get_charge(charge_id), version=_version())
    notify(_("It is being charged. What becomes of it shows here."))
    return _back(charge)


@bp.post("/<int:charge_id>/cancellation")
@needs(Ability.CHARGE_METHODS)
def cancel(charge_id: int) -> Response:
    charge = get_charge(charge_id)
    by = _("Cancelled by %(w)s.", w=signed_in_user().name)
    cancel_planned(charge, version=_version(), because=by)
    notify(_("Cancelled. The invoice stays to be paid."))
    return _back(charge)


def _back(charge: PlannedCharge) -> Response:
    """To the list, the invoice or the customer: wherever the button was pressed."""
    here = url_for("staff.autopay.show", customer_id=charge.customer_id)
    before = page_before()
    return make_response(redirect(before if before.startswith("/staff/") else here, 303))


def _version() -> int:
    return request.form.get("version", 0, type=int)
