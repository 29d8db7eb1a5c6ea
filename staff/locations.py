"""Locations of a customer."""

from __future__ import annotations

from dataclasses import fields

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import BooleanField, StringField, TextAreaField

from portal.access import Ability
from portal.customers import LocationWords, add_location, change_location, get_customer
from portal.kernel.errors import DomainError
from portal.models import Customer, Location
from portal.taxes import active_zones, suggest_zone
from portal.web import Form, IdField, VersionField, needs, notify, redirect_to, render_page
from staff.choices import row_of

bp = Blueprint("locations", __name__, url_prefix="/customers/<int:customer_id>/locations")


class LocationForm(Form):
    version = VersionField()
    name = StringField("Name, if it has one")
    street = StringField("Street")
    unit = StringField("Unit")
    city = StringField("City")
    region = StringField("State")
    postal_code = StringField("ZIP")
    tax_zone_id = IdField("Tax zone", empty="Choose by ZIP")
    notes = TextAreaField("Notes", render_kw={"rows": 2})
    active = BooleanField("Active", default=True)


@bp.get("/new")
@needs(Ability.EDIT_CUSTOMERS)
def new(customer_id: int) -> Response:
    return _page(get_customer(customer_id), None, _form(None))


@bp.post("")
@needs(Ability.EDIT_CUSTOMERS)
def create(customer_id: int) -> Response:
    customer = get_customer(customer_id)
    form = _form(request.form)
    try:
        if form.is_sent():
            add_location(customer, _words(form))
            return redirect_to("staff.customers.show", customer_id=customer.id)
    except DomainError as error:
        form.refuse(error)
    return _page(customer, None, form, status=422)


@bp.get("/<int:location_id>")
@needs(Ability.EDIT_CUSTOMERS)
def edit(customer_id: int, location_id: int) -> Response:
    customer = get_customer(customer_id)
    location = row_of(customer.locations, location_id)
    return _page(customer, location, _form(None, location))


@bp.post("/<int:location_id>")
@needs(Ability.EDIT_CUSTOMERS)
def save(customer_id: int, location_id: int) -> Response:
    customer = get_customer(customer_id)
    location = row_of(customer.locations, location_id)
    form = _form(request.form, location)
    try:
        if form.is_sent():
            change_location(location, _words(form), version=form.version.data)
            return redirect_to("staff.customers.show", customer_id=customer.id)
    except DomainError as error:
        form.refuse(error)
    return _page(customer, location, form, status=422)


def _form(sent: object, location: Location | None = None) -> LocationForm:
    form = LocationForm(sent, obj=location)
    form.tax_zone_id.offer(active_zones(), also=location.tax_zone if location else None)
    return form


def _words(form: LocationForm) -> LocationWords:
    """An empty zone takes the one the ZIP points to; an ambiguous ZIP asks the person."""
    data = {one.name: form.data[one.name] for one in fields(LocationWords) if one.name in form.data}
    if data["tax_zone_id"] is None:
        suggestion = suggest_zone(data["postal_code"] or "")
        if suggestion.ambiguous:
            names = ", ".join(zone.name for zone in suggestion.candidates)
            raise DomainError(
                _("This ZIP lies in several tax zones (%(names)s). Choose one.", names=names),
                field="tax_zone_id",
            )
        if suggestion.zone is not None:
            data["tax_zone_id"] = suggestion.zone.id
            notify(_("Tax zone %(z)s was taken from the ZIP.", z=suggestion.zone.name))
    return LocationWords(**data)


def _page(
    customer: Customer, location: Location | None, form: LocationForm, *, status: int = 200
) -> Response:
    return render_page(
        "staff/customers/location.html", status=status, customer=customer, location=location,
        form=form,
    )  # fmt: skip
