"""The company: letterhead, colours, zone, business units and ways to pay."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, Response, request
from flask_babel import get_locale
from flask_babel import gettext as _
from wtforms import SelectField, StringField, TextAreaField

from portal.access import Ability
from portal.company import (
    CompanyWords,
    change_company,
    change_logo,
    company,
    format_months,
)
from portal.files import keep_logo
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import Paper
from portal.web import (
    ChoiceField,
    Form,
    VersionField,
    contrast,
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
    phone = StringField("Phone", render_kw={"type": "tel"})
    email = StringField("Email", render_kw={"type": "email"})
    website = StringField("Web address")
    brand_color = StringField("Colour", render_kw={"type": "color"})
    invoice_message = TextAreaField("Message on every invoice", render_kw={"rows": 2})
    remit_to = TextAreaField("Checks are mailed to", render_kw={"rows": 3})
    zone = SelectField("Time zone of the books", choices={zone: zone for zone in ZONES})
    locale = SelectField("Dates and numbers", choices=LOCALES)
    paper = ChoiceField("Paper", Paper)
    fiscal_year_first_month = SelectField("Fiscal year begins in", coerce=int)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        months = format_months(str(get_locale()))
        self.fiscal_year_first_month.choices = list(enumerate(months, start=1))


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
            _check_colour(form.brand_color.data or "")
            data = {name: value for name, value in form.data.items() if name in WORDS}
            change_company(CompanyWords(**data), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.settings.show")
    except DomainError as error:
        form.refuse(error)
    return _page(form, status=422)


@bp.post("/logo")
@needs(Ability.EDIT_SETTINGS)
def save_logo() -> Response:
    upload = request.files.get("photo")
    try:
        if upload is None or not upload.filename:
            raise InvalidFields({"photo": _("Choose a picture first.")})
        change_logo(keep_logo(upload.stream).key)
    except DomainError as error:
        form = CompanyForm(None, obj=company())
        return _page(form, status=422, upload_error=str(error))
    notify(_("The logo is in use from now on."))
    return redirect_to("staff.settings.show")


WORDS = CompanyWords.__dataclass_fields__


def _check_colour(colour: str) -> None:
    """Text on the colour must stay readable, black or white (WCAG 2.2: 4.5 to 1)."""
    digits = colour.removeprefix("#")
    if len(digits) != 6 or not all(char in "0123456789abcdefABCDEF" for char in digits):
        raise InvalidFields({"brand_color": _("Choose a colour such as #1f5eff.")})
    if max(contrast(colour, "#ffffff"), contrast(colour, "#10151c")) < 4.5:
        raise InvalidFields({"brand_color": _("Text on this colour would be hard to read.")})


def _page(form: CompanyForm, *, status: int = 200, upload_error: str = "") -> Response:
    return render_page(
        "staff/settings/show.html", status=status, form=form, upload_error=upload_error
    )
