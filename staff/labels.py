"""Labels of the office's own: business units, customer and invoice types, edited in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from portal.access import Ability
from portal.company import add_business_unit, business_units, change_business_unit
from portal.customers import add_customer_type, change_customer_type, customer_types
from portal.invoices import add_invoice_type, change_invoice_type, invoice_types
from portal.kernel.errors import DomainError, InvalidFields
from portal.web import needs, notify, redirect_to, render_page
from staff.choices import row_of

bp = Blueprint("labels", __name__, url_prefix="/labels")


@dataclass(frozen=True)
class Shelf:
    """One kind of label with the verbs that keep it."""

    title: Any
    hint: Any
    rows: Callable[[], Sequence[Any]]
    add: Callable[[str], Any]
    change: Callable[..., None]
    mark: str = ""  # a further yes or no of each row, and what it is called
    mark_label: Any = ""


@dataclass(frozen=True)
class Refusal:
    """What somebody typed that could not be saved, and why; `row_id` is 0 for a new one."""

    shelf: str
    row_id: int
    name: str
    active: bool
    sentence: str


SHELVES = {
    "business-units": Shelf(
        later("Business units"),
        later("Lines of business whose revenue is told apart, such as HVAC service."),
        lambda: business_units(all_of_them=True), add_business_unit, change_business_unit,
    ),
    "customer-types": Shelf(
        later("Customer types"),
        later("Labels such as Residential or Property manager. Customers of a type that is not "
              "marked as business, or without a type, count as consumers: it matters for "
              "payment plans."),
        lambda: customer_types(all_of_them=True), add_customer_type, change_customer_type,
        "is_business", later("Business"),
    ),
    "invoice-types": Shelf(
        later("Invoice types"),
        later("Labels such as Warranty or Callback, chosen on an invoice; no rule hangs on them."),
        lambda: invoice_types(all_of_them=True), add_invoice_type, change_invoice_type,
    ),
}  # fmt: skip


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def index() -> Response:
    return _page()


@bp.post("/<shelf>")
@needs(Ability.EDIT_SETTINGS)
def add(shelf: str) -> Response:
    name = request.form.get("name", "")
    try:
        _shelf(shelf).add(name)
        notify(_("Added."))
        return redirect_to("staff.labels.index")
    except DomainError as error:
        return _page(Refusal(shelf, 0, name, True, _reason(error)))


@bp.post("/<shelf>/<int:row_id>")
@needs(Ability.EDIT_SETTINGS)
def save(shelf: str, row_id: int) -> Response:
    row = row_of(_shelf(shelf).rows(), row_id)
    name, active = request.form.get("name", ""), "active" in request.form
    version = request.form.get("version", 0, type=int)
    try:
        _shelf(shelf).change(row, version=version, name=name, active=active, **_mark(shelf))
        notify(_("Saved."))
        return redirect_to("staff.labels.index")
    except DomainError as error:
        return _page(Refusal(shelf, row_id, name, active, _reason(error)))


def _shelf(name: str) -> Shelf:
    return SHELVES.get(name) or abort(404)


def _mark(shelf: str) -> dict[str, bool]:
    mark = _shelf(shelf).mark
    return {mark: mark in request.form} if mark else {}


def _reason(error: DomainError) -> str:
    return " ".join(error.errors.values()) if isinstance(error, InvalidFields) else str(error)


def _page(refusal: Refusal | None = None) -> Response:
    return render_page(
        "staff/labels/index.html", status=422 if refusal else 200, shelves=SHELVES, refusal=refusal
    )
