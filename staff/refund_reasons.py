"""Refund reasons: why the office gives money back, and what each does."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import BooleanField, SelectField, StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.kernel.errors import DomainError
from portal.models import RefundEffect, RefundReason
from portal.payments import (
    RefundReasonWords,
    add_refund_reason,
    change_refund_reason,
    get_refund_reason,
    refund_reasons,
)
from portal.web import Form, VersionField, needs, notify, redirect_to, render_page
from staff.refund_words import EFFECTS

bp = Blueprint("refund_reasons", __name__, url_prefix="/refund-reasons")


class ReasonForm(Form):
    version = VersionField()
    name = StringField("Name")
    effect = SelectField("What happens", coerce=RefundEffect)
    asks = BooleanField("Ask each time what happens")
    active = BooleanField("Offered for new refunds", default=True)


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def index() -> Response:
    rows = refund_reasons(all_of_them=True)
    return render_page("staff/refund_reasons/index.html", rows=rows, effects=EFFECTS)


@bp.get("/new")
@needs(Ability.EDIT_SETTINGS)
def new() -> Response:
    return _page(None, _form(None))


@bp.post("")
@needs(Ability.EDIT_SETTINGS)
def create() -> Response:
    form = _form(request.form)
    try:
        if form.is_sent():
            add_refund_reason(_words(form))
            notify(_("Added."))
            return redirect_to("staff.refund_reasons.index")
    except DomainError as error:
        form.refuse(error)
    return _page(None, form, status=422)


@bp.get("/<int:reason_id>")
@needs(Ability.EDIT_SETTINGS)
def show(reason_id: int) -> Response:
    row = get_refund_reason(reason_id)
    return _page(row, _form(None, row))


@bp.post("/<int:reason_id>")
@needs(Ability.EDIT_SETTINGS)
def save(reason_id: int) -> Response:
    row = get_refund_reason(reason_id)
    form = _form(request.form, row)
    try:
        if form.is_sent():
            change_refund_reason(row, _words(form), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.refund_reasons.index")
    except DomainError as error:
        form.refuse(error)
    return _page(row, form, status=422)


def _form(sent: object, row: RefundReason | None = None) -> ReasonForm:
    form = ReasonForm(sent, obj=row)
    form.effect.choices = list(EFFECTS.items())
    return form


def _words(form: ReasonForm) -> RefundReasonWords:
    return RefundReasonWords(
        name=form.name.data or "",
        effect=form.effect.data,
        asks=bool(form.asks.data),
        active=bool(form.active.data),
    )


def _page(row: RefundReason | None, form: ReasonForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/refund_reasons/form.html", status=status, row=row, form=form,
        trail=trail_of(row) if row else [],
    )  # fmt: skip
