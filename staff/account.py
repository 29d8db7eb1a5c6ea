"""One's own account: password, second factor, open sign-ins."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext as _
from wtforms import PasswordField, StringField

from portal.access import (
    Ability,
    begin_second_factor,
    confirm_second_factor,
    end_sign_in_of,
    set_password,
    sign_ins_of,
)
from portal.company import company
from portal.documents import qr_code
from portal.kernel.errors import DomainError
from portal.web import Form, needs, notify, redirect_to, render_page, signed_in_user, token_of

bp = Blueprint("account", __name__, url_prefix="/account")


class PasswordForm(Form):
    password = PasswordField("New password", render_kw={"autocomplete": "new-password"})


class CodeForm(Form):
    code = StringField("Code", render_kw={"inputmode": "numeric", "maxlength": 6})


@bp.get("")
@needs(Ability.OWN_ACCOUNT)
def show() -> Response:
    return _page(PasswordForm())


@bp.post("/password")
@needs(Ability.OWN_ACCOUNT)
def change_password() -> Response:
    form = PasswordForm()
    try:
        set_password(signed_in_user(), form.password.data or "", keep_token=token_of("staff"))
    except DomainError as error:
        form.refuse(error)
        return _page(form, status=422)
    notify(_("The password was changed; other browsers were signed out."))
    return redirect_to("staff.account.show")


@bp.post("/sign-ins/<int:sign_in_id>/end")
@needs(Ability.OWN_ACCOUNT)
def end(sign_in_id: int) -> Response:
    end_sign_in_of(sign_in_id, user_id=signed_in_user().id)
    notify(_("That browser is signed out."))
    return redirect_to("staff.account.show")


@bp.post("/second-factor/begin")
@needs(Ability.OWN_ACCOUNT)
def begin() -> Response:
    address = begin_second_factor(signed_in_user(), issuer=company().name)
    return render_page(
        "staff/account/second_factor.html", form=CodeForm(formdata=None), address=address,
        qr=qr_code(address),
    )  # fmt: skip


@bp.post("/second-factor")
@needs(Ability.OWN_ACCOUNT)
def confirm() -> Response:
    form = CodeForm()
    try:
        confirm_second_factor(signed_in_user(), form.code.data or "")
    except DomainError as error:
        form.refuse(error)
        address = begin_second_factor(signed_in_user(), issuer=company().name)
        return render_page(
            "staff/account/second_factor.html", status=422, form=form, address=address,
            qr=qr_code(address),
        )  # fmt: skip
    notify(_("From now on a code is asked for when you sign in."))
    return redirect_to("staff.account.show")


def _page(form: PasswordForm, *, status: int = 200) -> Response:
    user = signed_in_user()
    return render_page(
        "staff/account/show.html", status=status, form=form, sign_ins=sign_ins_of(user_id=user.id)
    )
