"""Signing in by an emailed link; looking at the link changes nothing."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, current_app, request
from wtforms import StringField

from portal.access import (
    MailedLink,
    consume_link,
    end_sign_in,
    end_sign_in_of,
    find_link,
    request_customer_link,
    sign_in_payer,
    sign_ins_of,
)
from portal.company import company
from portal.outbox import SIGN_IN, compose, write_message
from portal.settings import Settings
from portal.web import (
    Form,
    current_payer,
    open_to_all,
    payers_only,
    redirect_to,
    render_page,
    safe_next,
    set_cookie,
    sign_out_cookie,
    token_of,
)

bp = Blueprint("sign_in", __name__, url_prefix="/sign-in")


class EmailForm(Form):
    email = StringField("Email", render_kw={"type": "email", "autocomplete": "email"})


@bp.get("")
@open_to_all
def show() -> Response:
    return render_page("customer/sign_in/show.html", form=EmailForm(formdata=None))


@bp.post("")
@open_to_all
def ask() -> Response:
    """The same answer for known and unknown addresses."""
    form = EmailForm()
    if not form.is_sent() or "@" not in (form.email.data or ""):
        form.email.errors = ["Give the email address we write to."]
        return render_page("customer/sign_in/show.html", status=422, form=form)
    email = form.email.data.strip().lower()
    link = request_customer_link(email, ip=request.remote_addr or "")
    if link:
        _mail_link(email, link, safe_next("/my/"))
    return render_page("customer/sign_in/sent.html", email=email)


@bp.get("/link/<token>")
@open_to_all
def look(token: str) -> Response:
    usable = find_link(token, "customer") is not None
    return render_page("customer/sign_in/link.html", usable=usable, form=Form())


@bp.post("/link/<token>")
@open_to_all
def use(token: str) -> Response:
    email = consume_link(token, "customer")
    cookie = sign_in_payer(email, ip=request.remote_addr or "", agent=request.user_agent.string)
    response = redirect_to("customer.home.show")
    if wanted := safe_next("/my/"):
        response.headers["Location"] = wanted
    return set_cookie(response, "customer", cookie)


@bp.post("/out")
@open_to_all
def sign_out() -> Response:
    end_sign_in(token_of("customer"))
    return sign_out_cookie(redirect_to("customer.sign_in.show"), "customer")


@bp.get("/browsers")
@payers_only
def browsers() -> Response:
    payer = current_payer()
    assert payer is not None
    return render_page("customer/sign_in/browsers.html", sign_ins=sign_ins_of(email=payer.email))


@bp.post("/browsers/<int:sign_in_id>/end")
@payers_only
def end(sign_in_id: int) -> Response:
    payer = current_payer()
    assert payer is not None
    end_sign_in_of(sign_in_id, email=payer.email)
    return redirect_to("customer.sign_in.browsers")


def _mail_link(email: str, link: MailedLink, wanted: str) -> None:
    """The mail holds the seed of the link; the outbox puts the link in when it leaves."""
    settings: Settings = current_app.config["SETTINGS"]
    url = f"{settings.base_url}/my/sign-in/link/{link.seed}"
    if wanted:
        url += f"?next={quote(wanted, safe='/')}"
    subject, text, html = compose("sign_in", language=link.language, company=company(), url=url)
    write_message(
        kind=SIGN_IN, recipient=email, subject=subject, body=text, html=html,
        language=link.language, dedupe_key=f"sign-in-{link.seed[:16]}",
    )  # fmt: skip
