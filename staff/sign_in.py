"""Signing in to the office."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, request, session
from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms import PasswordField, StringField

from portal.access import (
    check_password,
    consume_link,
    count_try,
    end_sign_in,
    find_link,
    fingerprint_of,
    get_person,
    note_failed_sign_in,
    pass_second_factor,
    person_of_email,
    recovery_codes_left,
    sign_in_user,
)
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import User
from portal.web import (
    Form,
    notify,
    open_to_all,
    redirect_to,
    render_page,
    safe_next,
    set_cookie,
    sign_out_cookie,
    token_of,
)

bp = Blueprint("sign_in", __name__, url_prefix="/sign-in")

CODE_WITHIN = timedelta(minutes=10)
FEW_CODES = 3


class SignInForm(Form):
    email = StringField("Email", render_kw={"type": "email", "autocomplete": "username"})
    password = PasswordField("Password", render_kw={"autocomplete": "current-password"})


class CodeForm(Form):
    code = StringField("Code", render_kw={"autocomplete": "one-time-code", "maxlength": 20})


@bp.get("")
@open_to_all
def show() -> Response:
    return render_page("staff/sign_in/show.html", form=SignInForm())


@bp.post("")
@open_to_all
def sign_in() -> Response:
    form = SignInForm()
    user = None
    if form.is_sent():
        user = check_password(form.email.data or "", form.password.data or "", ip=_ip())
    if user is None:
        form.refuse(DomainError(_("Email and password do not fit.")))
        return render_page("staff/sign_in/show.html", status=422, form=form)
    if user.has_second_factor:
        _wait_for_code(user)
        return redirect_to("staff.sign_in.ask_code", next=safe_next("/staff/"))
    return _welcome(user)


@bp.get("/code")
@open_to_all
def ask_code() -> Response:
    return render_page("staff/sign_in/code.html", form=CodeForm())


@bp.post("/code")
@open_to_all
def check() -> Response:
    form = CodeForm()
    user_id = _waiting_for_code()
    if user_id is None:
        return redirect_to("staff.sign_in.show")
    count_try("second factor", str(user_id), limit=10, minutes=15)
    user = get_person(user_id)
    if not user.active or _first_factor() != fingerprint_of(user):
        session.pop("half_signed_in", None)
        return redirect_to("staff.sign_in.show")
    if not form.is_sent() or not pass_second_factor(user, form.code.data or ""):
        note_failed_sign_in(user, "a wrong code", ip=_ip())
        form.code.errors = [_("This code does not fit or was already used.")]
        return render_page("staff/sign_in/code.html", status=422, form=form)
    session.pop("half_signed_in", None)
    if (left := recovery_codes_left(user)) < FEW_CODES:
        notify(
            ngettext(
                "You have one recovery code left. Make new ones in your account.",
                "You have %(num)s recovery codes left. Make new ones in your account.",
                left,
            ),
            "warning",
        )
    return _welcome(user)


@bp.get("/link/<token>")
@open_to_all
def look_at_link(token: str) -> Response:
    """Looking changes nothing; pressing the button signs in."""
    usable = find_link(token, "staff") is not None
    return render_page("staff/sign_in/link.html", usable=usable, token=token, form=Form())


@bp.post("/link/<token>")
@open_to_all
def use_link(token: str) -> Response:
    user = person_of_email(consume_link(token, "staff"))
    if user is None:
        return redirect_to("staff.sign_in.show")
    if user.has_second_factor:
        _wait_for_code(user)
        return redirect_to("staff.sign_in.ask_code")
    return _welcome(user)


@bp.post("/out")
@open_to_all
def sign_out() -> Response:
    end_sign_in(token_of("staff"))
    return sign_out_cookie(redirect_to("staff.sign_in.show"), "staff")


def _wait_for_code(user: User) -> None:
    session["half_signed_in"] = [user.id, clock.now().timestamp(), fingerprint_of(user)]


def _waiting_for_code() -> int | None:
    """The id of who gave the first factor within the last ten minutes."""
    waiting = session.get("half_signed_in") or []
    if len(waiting) != 3:
        return None
    user_id, since, _first_factor = waiting
    fresh = clock.now().timestamp() - since < CODE_WITHIN.total_seconds()
    return int(user_id) if fresh else None


def _first_factor() -> str:
    """What the person signed in with, as it was then; a password changed since does not count."""
    return str(session["half_signed_in"][2])


def _welcome(user: User) -> Response:
    """A new token at every sign-in: nobody can plant one beforehand."""
    token = sign_in_user(user, ip=_ip(), agent=request.user_agent.string)
    response = redirect_to("staff.home.show")
    if wanted := safe_next("/staff/"):
        response.headers["Location"] = wanted
    return set_cookie(response, "staff", token)


def _ip() -> str:
    return request.remote_addr or ""
