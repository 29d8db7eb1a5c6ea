"""Tax zones with their dated rates and postal codes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.company import today
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.numbers import Rate
from portal.models import TaxBase, TaxZone
from portal.taxes import (
    RateWords,
    add_zone,
    change_zone,
    find_zones,
    get_zone,
    map_postal_code,
    postal_patterns,
    shared_patterns,
    unmap_postal_code,
)
from portal.web import Form, VersionField, needs, notify, page_request, redirect_to, render_page

bp = Blueprint("taxes", __name__, url_prefix="/tax-zones")

COLUMNS = ("authority", "base", "rate", "starts_on", "ends_on")


class ZoneForm(Form):
    version = VersionField()
    name = StringField("Name")
    active = BooleanField("Active", default=True)


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def index() -> Response:
    page = find_zones(request.args.get("q", ""), page_request())
    return render_page("staff/taxes/index.html", fragment="rows", page=page, today=today())


@bp.get("/new")
@needs(Ability.EDIT_SETTINGS)
def new() -> Response:
    return _page(None, ZoneForm(formdata=None), [])


@bp.post("")
@needs(Ability.EDIT_SETTINGS)
def create() -> Response:
    form = ZoneForm()
    try:
        zone = add_zone(name=form.name.data or "", rates=_rates())
        notify(_("Added. Now say which ZIP codes lie in it."))
        return redirect_to("staff.taxes.show", zone_id=zone.id)
    except DomainError as error:
        form.refuse(error)
    return _page(None, form, _typed(), status=422)


@bp.get("/<int:zone_id>")
@needs(Ability.EDIT_SETTINGS)
def show(zone_id: int) -> Response:
    zone = get_zone(zone_id)
    return _page(zone, ZoneForm(None, obj=zone), _as_typed(zone))


@bp.post("/<int:zone_id>")
@needs(Ability.EDIT_SETTINGS)
def save(zone_id: int) -> Response:
    zone = get_zone(zone_id)
    form = ZoneForm(request.form, obj=zone)
    try:
        change_zone(
            zone, version=form.version.data, name=form.name.data or "",
            active=bool(form.active.data), rates=_rates(),
        )  # fmt: skip
        notify(_("Saved."))
        return redirect_to("staff.taxes.show", zone_id=zone.id)
    except DomainError as error:
        form.refuse(error)
    return _page(zone, form, _typed(), status=422)


@bp.post("/<int:zone_id>/postal-codes")
@needs(Ability.EDIT_SETTINGS)
def map_code(zone_id: int) -> Response:
    zone = get_zone(zone_id)
    try:
        for pattern in request.form.get("patterns", "").replace(",", "\n").splitlines():
            if pattern.strip():
                map_postal_code(pattern, zone)
        return redirect_to("staff.taxes.show", zone_id=zone.id)
    except DomainError as error:
        form = ZoneForm(None, obj=zone)
        return _page(zone, form, _as_typed(zone), status=422, postal_error=str(error))


@bp.post("/<int:zone_id>/postal-codes/<int:pattern_id>/removal")
@needs(Ability.EDIT_SETTINGS)
def unmap_code(zone_id: int, pattern_id: int) -> Response:
    unmap_postal_code(pattern_id, get_zone(zone_id))
    return redirect_to("staff.taxes.show", zone_id=zone_id)


def _typed() -> list[dict[str, str]]:
    columns = {name: request.form.getlist(name) for name in COLUMNS}
    rows = zip(*columns.values(), strict=False)
    return [
        dict(zip(COLUMNS, row, strict=True)) for row in rows if row[0].strip() or row[2].strip()
    ]


def _as_typed(zone: TaxZone) -> list[dict[str, str]]:
    return [
        {
            "authority": rate.authority,
            "base": rate.base.value,
            "rate": f"{rate.rate.as_percent.normalize():f}",
            "starts_on": rate.starts_on.isoformat(),
            "ends_on": rate.ends_on.isoformat() if rate.ends_on else "",
        }
        for rate in zone.rates
    ]


def _rates() -> list[RateWords]:
    rates = []
    for row in _typed():
        try:
            rates.append(
                RateWords(
                    authority=row["authority"],
                    base=TaxBase(row["base"]),
                    rate=Rate.percent(Decimal(row["rate"].replace("%", "").strip())),
                    starts_on=date.fromisoformat(row["starts_on"] or "2000-01-01"),
                    ends_on=date.fromisoformat(row["ends_on"]) if row["ends_on"] else None,
                )
            )
        except (ValueError, InvalidOperation):
            raise InvalidFields(
                {
                    "rates": _(
                        "Check the rate of %(a)s: a percentage such as 6.5.", a=row["authority"]
                    )
                }
            ) from None
    return rates


def _page(
    zone: TaxZone | None, form: ZoneForm, rates: list[dict[str, str]], *, status: int = 200,
    postal_error: str = "",
) -> Response:  # fmt: skip
    blank = {"authority": "", "base": "subtotal", "rate": "", "starts_on": "", "ends_on": ""}
    return render_page(
        "staff/taxes/form.html", status=status, zone=zone, form=form,
        rates=[*rates, blank, blank], bases=[(b.value, b.value.capitalize()) for b in TaxBase],
        patterns=postal_patterns(zone) if zone else [], postal_error=postal_error,
        shared=shared_patterns(zone) if zone else {}, trail=trail_of(zone) if zone else [],
    )  # fmt: skip
