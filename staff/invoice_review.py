"""Reviewing one invoice: its state, its reviewer, the approver's answer, its place."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from portal.access import Ability, get_person
from portal.audit import mark_of
from portal.invoices import (
    approve_invoice,
    assign_invoices,
    get_invoice,
    place_invoice,
    reject_invoice,
    review_invoice,
)
from portal.kernel.errors import DomainError, NeedsConfirmation
from portal.models import Invoice, ReviewState
from portal.web import (
    Form,
    IdField,
    VersionField,
    needs,
    notify,
    redirect_to,
    render_page,
    signed_in_user,
)
from staff.choices import chosen, place_words, row_of, units
from staff.invoices import page_of
from staff.meanwhile import meanwhile
from staff.review_card import queue_words

bp = Blueprint("invoice_review", __name__, url_prefix="/invoices/<int:invoice_id>")


class PlaceForm(Form):
    version = VersionField()
    location_id = IdField("Work done at", empty="No location")
    business_unit_id = IdField("Business unit")


@bp.post("/review/<state>")
@needs(Ability.EDIT_INVOICES)
def review(invoice_id: int, state: str) -> Response:
    invoice, wanted = get_invoice(invoice_id), chosen(ReviewState, state)
    return _do(
        invoice, lambda: review_invoice(invoice, wanted, note=_note(), version=_version(invoice))
    )


@bp.post("/assignment")
@needs(Ability.ASSIGN_INVOICES)
def assign(invoice_id: int) -> Response:
    invoice, who = get_invoice(invoice_id), request.form.get("assignee_id", type=int)
    outcome = assign_invoices([invoice.id], get_person(who) if who else None)
    if outcome.refused:
        raise DomainError(outcome.refused[0][1])
    return _back(invoice)


@bp.post("/approval")
@needs(Ability.APPROVE_INVOICES)
def approve(invoice_id: int) -> Response:
    invoice, confirmed = get_invoice(invoice_id), request.form.getlist("confirmed")
    try:
        return _do(
            invoice,
            lambda: approve_invoice(
                invoice, by=signed_in_user(), version=_version(invoice), confirmed=confirmed
            ),
        )
    except NeedsConfirmation as warning:
        return render_page("staff/review/approve.html", invoice=invoice, warning=warning)


@bp.post("/rejection")
@needs(Ability.APPROVE_INVOICES)
def reject(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    return _do(invoice, lambda: reject_invoice(invoice, note=_note(), version=_version(invoice)))


@bp.get("/place")
@needs(Ability.EDIT_INVOICES)
def edit_place(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    return _place_page(invoice, _place_form(invoice, None))


@bp.post("/place")
@needs(Ability.EDIT_INVOICES)
def place(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    form = _place_form(invoice, request.form)
    try:
        if form.is_sent():
            _save_place(invoice, form)
            return _back(invoice)
    except DomainError as error:
        form.refuse(error)
        return _place_page(invoice, form, refused=error)
    return _place_page(invoice, form, status=422)


def _do(invoice: Invoice, act: Callable[[], None]) -> Response:
    """Carry it out; a refusal is told on the record with the note that was typed."""
    try:
        act()
    except NeedsConfirmation:
        raise
    except DomainError as error:
        return page_of(
            invoice, status=422, review_note=_note(), review_refused=str(error),
            changed=meanwhile(invoice, error),
        )  # fmt: skip
    notify(_("%(n)s: %(s)s.", n=invoice.number, s=invoice.review_state.replace("_", " ")))
    return _back(invoice)


def _back(invoice: Invoice) -> Response:
    return redirect_to("staff.invoices.show", invoice_id=invoice.id, **queue_words())


def _note() -> str:
    return request.form.get("note", "").strip()


def _version(invoice: Invoice) -> int:
    """The version somebody decided about; without one, that of this moment."""
    return request.form.get("version", invoice.version, type=int)


def _place_form(invoice: Invoice, sent: object) -> PlaceForm:
    form = PlaceForm(sent, obj=invoice)
    places = [one for one in invoice.customer.locations if one.active]
    form.location_id.offer(places, words=place_words, also=invoice.location)
    form.business_unit_id.offer(units(), also=invoice.business_unit)
    return form


def _save_place(invoice: Invoice, form: PlaceForm) -> None:
    wanted, unit_id = form.location_id.data, form.business_unit_id.data
    known = [*units(), *([invoice.business_unit] if invoice.business_unit else [])]
    place_invoice(
        invoice,
        location=row_of(invoice.customer.locations, wanted) if wanted else None,
        business_unit=row_of(known, unit_id) if unit_id else None,
        version=form.version.data,
    )
    notify(_("Saved."))


def _place_page(
    invoice: Invoice, form: PlaceForm, *, status: int = 200, refused: DomainError | None = None
) -> Response:
    return render_page(
        "staff/review/place.html", status=422 if refused else status, invoice=invoice, form=form,
        trail_mark=mark_of(invoice),
        changed=meanwhile(invoice, refused) if refused else [],
    )  # fmt: skip
