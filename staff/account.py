"""One's own account: password, second factor, open sign-ins."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext as _
from wtforms import PasswordField, StringField

from portal.access import (
    Ability,
    begin_second_factor,
    confirm_second_factor,
    count_try,
    end_sign_in_of,
    enrolment_address,
    make_recovery_codes,
    pass_second_factor,
    recovery_codes_left,
    require_own_password,
    set_password,
    sign_ins_of,
    turn_off_second_factor,
)
from portal.company import company
from portal.documents import qr_code
from portal.kernel.errors import DomainError, InvalidFields
from portal.web import Form, needs, notify, redirect_to, render_page, signed_in_user, token_of

bp = Blueprint("account", __name__, url_prefix="/account")


class PasswordForm(Form):
    current = PasswordField("Password now", render_kw={"autocomplete": "current-password"})
    password = PasswordField("New password", render_kw={"autocomplete": "new-password"})


class ProofForm(Form):
    """Asked on a page that asks for the password elsewhere too."""

    current = PasswordField(
        "Password now", id="begin-current", render_kw={"autocomplete": "current-password"}
    )


class CodeForm(Form):
    """Whose browser was left open keeps the account: the password is asked for once more."""

    current = PasswordField("Password now", render_kw={"autocomplete": "current-password"})
    code = StringField("Code", render_kw={"inputmode": "numeric", "maxlength": 6})


class OwnPasswordForm(Form):
    """What is asked once more before the second factor changes."""

    current = PasswordField("Password now", render_kw={"autocomplete": "current-password"})
    code = StringField("Code or recovery code", render_kw={"autocomplete": "one-time-code"})


@bp.get("")
@needs(Ability.OWN_ACCOUNT)
def show() -> Response:
    return _page(PasswordForm())


@bp.post("/password")
@needs(Ability.OWN_ACCOUNT)
def change_password() -> Response:
    form = PasswordForm()
    try:
        require_own_password(signed_in_user(), form.current.data or "")
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
    form = ProofForm()
    try:
        require_own_password(signed_in_user(), form.current.data or "")
        begin_second_factor(signed_in_user(), issuer=company().name)
    except DomainError as error:
        form.refuse(error)
        return _page(PasswordForm(formdata=None), beginning=form, status=422)
    return _enrolment_page(CodeForm(formdata=None))


@bp.post("/second-factor")
@needs(Ability.OWN_ACCOUNT)
def confirm() -> Response:
    form = CodeForm()
    user = signed_in_user()
    try:
        require_own_password(user, form.current.data or "")
        count_try("second factor", str(user.id), limit=10, minutes=15)
        confirm_second_factor(user, form.code.data or "", keep_token=token_of("staff"))
    except DomainError as error:
        form.refuse(error)
        return _enrolment_page(form, status=422)
    notify(_("From now on a code is asked for when you sign in."))
    return _codes_page()


@bp.get("/second-factor/change")
@needs(Ability.OWN_ACCOUNT)
def change_second_factor() -> Response:
    return _change_page(OwnPasswordForm(formdata=None))


@bp.post("/second-factor/codes")
@needs(Ability.OWN_ACCOUNT)
def new_codes() -> Response:
    form = OwnPasswordForm()
    try:
        _prove(form)
        return _codes_page()
    except DomainError as error:
        form.refuse(error)
        return _change_page(form, status=422)


@bp.post("/second-factor/off")
@needs(Ability.OWN_ACCOUNT)
def turn_off() -> Response:
    form = OwnPasswordForm()
    try:
        require_own_password(signed_in_user(), form.current.data or "")
        count_try("second factor", str(signed_in_user().id), limit=10, minutes=15)
        turn_off_second_factor(signed_in_user(), form.code.data or "")
    except DomainError as error:
        form.refuse(error)
        return _change_page(form, status=422)
    notify(_("No code is asked for any more when you sign in."), "warning")
    return redirect_to("staff.account.show")


def _prove(form: OwnPasswordForm) -> None:
    user = signed_in_user()
    require_own_password(user, form.current.data or "")
    count_try("second factor", str(user.id), limit=10, minutes=15)
    if not pass_second_factor(user, form.code.data or ""):
        raise InvalidFields({"code": _("This code does not fit or was already used.")})


def _codes_page() -> Response:
    """Shown once: neither we nor the browser keep them."""
    response = render_page(
        "staff/account/recovery_codes.html", codes=make_recovery_codes(signed_in_user())
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _enrolment_page(form: CodeForm, *, status: int = 200) -> Response:
    address = enrolment_address(signed_in_user(), issuer=company().name)
    return render_page(
        "staff/account/second_factor.html", status=status, form=form, address=address,
        qr=qr_code(address),
    )  # fmt: skip


def _change_page(form: OwnPasswordForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/account/change_second_factor.html", status=status, form=form,
        left=recovery_codes_left(signed_in_user()),
    )  # fmt: skip


def _page(form: PasswordForm, *, beginning: ProofForm | None = None, status: int = 200) -> Response:
    user = signed_in_user()
    return render_page(
        "staff/account/show.html", status=status, form=form,
        beginning=beginning or ProofForm(formdata=None),
        sign_ins=sign_ins_of(user_id=user.id), codes_left=recovery_codes_left(user),
    )  # fmt: skip
