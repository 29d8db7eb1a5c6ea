"""Payment types: the ways to pay offered at the desk."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.kernel.errors import DomainError
from portal.ledger import active_accounts
from portal.models import AccountKind, PaymentMethod, PaymentType
from portal.payments import (
    PaymentTypeWords,
    add_payment_type,
    change_payment_type,
    get_payment_type,
    payment_types,
    type_is_used,
)
from portal.web import (
    ChoiceField,
    Form,
    IdField,
    VersionField,
    needs,
    notify,
    redirect_to,
    render_page,
)

bp = Blueprint("payment_types", __name__, url_prefix="/payment-types")


class PaymentTypeForm(Form):
    version = VersionField()
    name = StringField("Name")
    method = ChoiceField("Method", PaymentMethod)
    account_id = IdField("Its money lands on", empty=None)
    active = BooleanField("Offered for new payments", default=True)
    refunds = BooleanField("Offered for giving money back", default=True)


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def index() -> Response:
    return render_page(
        "staff/payment_types/index.html", ours=payment_types(all_of_them=True),
        house=payment_types(online=True, all_of_them=True),
    )  # fmt: skip


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
            add_payment_type(_words(form))
            notify(_("Added."))
            return redirect_to("staff.payment_types.index")
    except DomainError as error:
        form.refuse(error)
    return _page(None, form, status=422)


@bp.get("/<int:type_id>")
@needs(Ability.EDIT_SETTINGS)
def show(type_id: int) -> Response:
    row = get_payment_type(type_id)
    return _page(row, _form(None, row))


@bp.post("/<int:type_id>")
@needs(Ability.EDIT_SETTINGS)
def save(type_id: int) -> Response:
    row = get_payment_type(type_id)
    form = _form(request.form, row)
    try:
        if form.is_sent():
            change_payment_type(row, _words(form), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.payment_types.index")
    except DomainError as error:
        form.refuse(error)
    return _page(row, form, status=422)


def _form(sent: object, row: PaymentType | None = None) -> PaymentTypeForm:
    form = PaymentTypeForm(sent, obj=row)
    accounts = active_accounts(AccountKind.ASSET)
    form.account_id.offer(
        accounts, words=lambda one: f"{one.number} {one.name}", also=row.account if row else None
    )
    return form


def _words(form: PaymentTypeForm) -> PaymentTypeWords:
    return PaymentTypeWords(
        name=form.name.data or "",
        method=form.method.data,
        account_id=form.account_id.data,
        active=bool(form.active.data),
        refunds=bool(form.refunds.data),
    )


def _page(row: PaymentType | None, form: PaymentTypeForm, *, status: int = 200) -> Response:
    used = row is not None and type_is_used(row)
    return render_page(
        "staff/payment_types/form.html", status=status, row=row, form=form, used=used,
        trail=trail_of(row) if row else [],
    )  # fmt: skip
