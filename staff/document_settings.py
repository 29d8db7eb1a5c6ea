"""How documents look and what they say of the company, with a preview that saves nothing."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _
from wtforms import StringField, TextAreaField
from wtforms.validators import Length

from portal.access import Ability
from portal.company import CompanyWords, change_company, change_logo, company, words_of_company
from portal.documents import colour_style
from portal.files import keep_logo
from portal.invoices import sample_paper, sample_pdf
from portal.kernel.colours import is_colour
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import Company, Paper
from portal.web import (
    ChoiceField,
    Form,
    VersionField,
    needs,
    notify,
    pdf_response,
    redirect_to,
    render_page,
)

bp = Blueprint("document_settings", __name__, url_prefix="/settings")


class DocumentForm(Form):
    version = VersionField()
    brand_color = StringField("Brand colour", render_kw={"type": "color"})
    text_color = StringField("Text colour", render_kw={"type": "color"})
    paper = ChoiceField("Paper", Paper)
    phone = StringField("Phone", render_kw={"type": "tel"})
    website = StringField("Web address")
    invoice_message = TextAreaField(
        "Message on every invoice", [Length(max=600)], render_kw={"rows": 4}
    )
    remit_to = TextAreaField("Checks are mailed to", [Length(max=400)], render_kw={"rows": 3})
    vat_id = StringField("VAT ID")
    registration_number = StringField("Registration number", [Length(max=60)])
    iban = StringField("IBAN")
    bic = StringField("BIC")


NAMES = [name for name in CompanyWords.__dataclass_fields__ if hasattr(DocumentForm, name)]


@bp.get("/documents")
@needs(Ability.EDIT_SETTINGS)
def show() -> Response:
    return _page(DocumentForm(None, obj=company()))


@bp.post("/documents")
@needs(Ability.EDIT_SETTINGS)
def save() -> Response:
    form = DocumentForm(request.form, obj=company())
    try:
        if form.is_sent():
            change_company(replace(words_of_company(), **_typed(form)), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.document_settings.show")
    except DomainError as error:
        form.refuse(error)
    return _page(form, status=422)


@bp.post("/documents/preview")
@needs(Ability.EDIT_SETTINGS)
def preview() -> Response:
    return _page(DocumentForm(request.form, obj=company()))


@bp.post("/documents/sample.pdf")
@needs(Ability.EDIT_SETTINGS)
def sample() -> Response:
    form = DocumentForm(request.form, obj=company())
    return pdf_response(sample_pdf(_as_typed(form)), "sample.pdf")


@bp.get("/documents/colours.css")
@needs(Ability.EDIT_SETTINGS)
def colours() -> Response:
    brand, text = request.args.get("brand_color", ""), request.args.get("text_color", "")
    if not (is_colour(brand) and is_colour(text)):
        abort(404)
    response = make_response(colour_style(brand, text))
    response.mimetype = "text/css"
    return response


@bp.post("/logo")
@needs(Ability.EDIT_SETTINGS)
def save_logo() -> Response:
    upload = request.files.get("photo")
    try:
        if upload is None or not upload.filename:
            raise InvalidFields({"photo": _("Choose a picture first.")})
        change_logo(keep_logo(upload.stream).key)
    except DomainError as error:
        return _page(DocumentForm(None, obj=company()), status=422, upload_error=str(error))
    notify(_("The logo is in use from now on."))
    return redirect_to("staff.document_settings.show")


def _typed(form: DocumentForm) -> dict[str, Any]:
    return {name: form.data[name] for name in NAMES}


def _as_typed(form: DocumentForm) -> Company:
    """A company that nobody saves: today's words with the typed ones; no half-typed colour."""
    row = company()
    words = {one.name: getattr(row, one.name) for one in fields(CompanyWords)} | _typed(form)
    for name in ("brand_color", "text_color"):
        words[name] = words[name] if is_colour(words[name] or "") else getattr(row, name)
    words["paper"] = words["paper"] or row.paper
    return Company(**words, logo_key=row.logo_key, currency=row.currency)


def _page(form: DocumentForm, *, status: int = 200, upload_error: str = "") -> Response:
    paper = sample_paper(_as_typed(form))
    return render_page(
        "staff/settings/documents.html",
        fragment="preview",
        status=status,
        form=form,
        upload_error=upload_error,
        preview=render_template(
            "documents/on_screen.html", language=str(get_locale()), head=paper.head, invoice=paper
        ),
    )
