"""The company: name, address, zone, ways of writing numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, Response, request
from flask_babel import get_locale
from flask_babel import gettext as _
from wtforms import BooleanField, SelectField, StringField

from portal.access import Ability
from portal.company import (
    CompanyWords,
    change_company,
    company,
    format_months,
    words_of_company,
)
from portal.kernel.errors import DomainError
from portal.models import TaxZone
from portal.taxes import active_zones, get_zone
from portal.web import (
    Form,
    IdField,
    VersionField,
    needs,
    notify,
    redirect_to,
    render_page,
)

bp = Blueprint("settings", __name__, url_prefix="/settings")

ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc"))


LOCALES = {
    "en_US": "English (US)",
    "en_GB": "English (UK)",
    "es_US": "Español (EE. UU.)",
    "fr_CA": "Français (Canada)",
}


class CompanyForm(Form):
    version = VersionField()
    name = StringField("Name")
    street = StringField("Street")
    unit = StringField("Unit")
    city = StringField("City")
    region = StringField("State")
    postal_code = StringField("ZIP")
    country = StringField("Country, two letters", render_kw={"maxlength": 2})
    email = StringField("Email", render_kw={"type": "email"})
    zone = SelectField("Time zone of the books", choices={zone: zone for zone in ZONES})
    locale = SelectField("Dates and numbers", choices=LOCALES)
    fiscal_year_first_month = SelectField("Fiscal year begins in", coerce=int)
    walk_in_zone_id = IdField("Tax zone of who walks in", empty="Where the company's ZIP lies")
    only_reviewed_posts = BooleanField("Only reviewed invoices may be posted")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        months = format_months(str(get_locale()))
        self.fiscal_year_first_month.choices = list(enumerate(months, start=1))
        self.walk_in_zone_id.offer(active_zones(), also=_walk_in_zone())


def _walk_in_zone() -> TaxZone | None:
    """The zone chosen now, offered even when it is retired."""
    chosen = company().walk_in_zone_id
    return get_zone(chosen) if chosen else None


WORDS = CompanyWords.__dataclass_fields__


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def show() -> Response:
    return _page(CompanyForm(None, obj=company()))


@bp.post("")
@needs(Ability.EDIT_SETTINGS)
def save() -> Response:
    form = CompanyForm(request.form, obj=company())
    try:
        if form.is_sent():
            typed = {name: value for name, value in form.data.items() if name in WORDS}
            change_company(replace(words_of_company(), **typed), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.settings.show")
    except DomainError as error:
        form.refuse(error)
    return _page(form, status=422)


def _page(form: CompanyForm, *, status: int = 200) -> Response:
    return render_page("staff/settings/show.html", status=status, form=form)
