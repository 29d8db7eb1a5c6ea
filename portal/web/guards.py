"""Who may open which address. Every view says so, or the app does not start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import LoginManager, UserMixin
from flask_wtf.csrf import CSRFProtect

from portal.access import Ability, Payer, payer_of_token, user_of_token
from portal.audit.trail import acting_as
from portal.kernel.errors import NotAllowed
from portal.models import SignIn, User
from portal.settings import Settings
from portal.web.coming_back import page_at, page_before
from portal.web.fragments import notify

View = TypeVar("View", bound=Callable[..., Any])

STAFF_PATH = "/staff"


class Anybody(UserMixin):
    """The signed-in principal as Flask-Login sees it: a staff member or a payer."""

    def __init__(self, *, user: User | None, payer: Payer | None, sign_in: SignIn) -> None:
        self.user, self.payer, self.sign_in = user, payer, sign_in


def needs(ability: Ability) -> Callable[[View], View]:
    """The view is for staff whose role has this ability."""

    def mark(view: View) -> View:
        view.needs = ability  # type: ignore[attr-defined]
        return view

    return mark


def payers_only(view: View) -> View:
    """The view is for signed-in customers."""
    view.needs = "payer"  # type: ignore[attr-defined]
    return view


def open_to_all(view: View) -> View:
    """The view is for anybody: sign-in, guest links, webhooks."""
    view.needs = "nobody"  # type: ignore[attr-defined]
    return view


def current_user() -> User | None:
    """The signed-in staff member, if this is the staff's face."""
    principal = _principal()
    return principal.user if principal else None


def is_the_office() -> bool:
    """Whether this browser is signed in to the office, also where it looks at another face."""
    token = token_of("staff")
    return bool(token) and user_of_token(token) is not None


def signed_in_user() -> User:
    """The staff member of a guarded view."""
    return current_user() or abort(401)


def current_payer() -> Payer | None:
    """The signed-in customer, if this is the customer's face."""
    principal = _principal()
    return principal.payer if principal else None


def guard_faces(app: Flask, csrf: CSRFProtect) -> None:
    """Check every request against its view's mark."""
    app.extensions["csrf"] = csrf
    manager = LoginManager(app)
    manager.request_loader(lambda _request: _principal())
    app.before_request(_guard)
    app.context_processor(lambda: {"me": current_user(), "may": may})


def unmarked_views(app: Flask) -> list[str]:
    """Endpoints that forgot to say whom they are for; a test wants none."""
    return [
        name
        for name, view in app.view_functions.items()
        if not hasattr(view, "needs") and name != "static"
    ]


def refuse_unmarked_views(app: Flask) -> None:
    """RuntimeError for a view that forgot its mark: the app does not start with one."""
    if forgotten := unmarked_views(app):
        raise RuntimeError(f"Say whom these views are for: {', '.join(forgotten)}")


def may(ability: str) -> bool:
    """Whether the signed-in staff member's role has an ability; templates ask this."""
    user = current_user()
    return user is not None and ability in user.role.abilities


def require(ability: Ability) -> None:
    """NotAllowed unless the role has this ability beside the one its view names."""
    if not may(ability):
        raise NotAllowed("Your role does not allow this. Ask an administrator.")


def csrf_exempt(app: Flask, blueprint: Any) -> None:
    """Signed webhooks carry their own proof, and may come in storms from one address."""
    app.extensions["csrf"].exempt(blueprint)
    app.extensions["outer limit"].exempt(blueprint)


def token_of(face: str) -> str:
    """The sign-in token of this browser, or an empty string."""
    return request.cookies.get(_cookie_name(face), "")


def set_cookie(response: Response, face: str, token: str) -> Response:
    """Hand the browser its sign-in, which scripts never see.

    In the office it ends with the browser; a customer's browser keeps it for 60 days.
    """
    response.set_cookie(
        _cookie_name(face), token, httponly=True, samesite="Lax", path="/",
        secure=_settings().secure_cookies,
        max_age=60 * 24 * 3600 if face == "customer" else None,
    )  # fmt: skip
    return response


def sign_out_cookie(response: Response, face: str) -> Response:
    response.delete_cookie(_cookie_name(face), path="/", secure=_settings().secure_cookies)
    return response


def _cookie_name(face: str) -> str:
    return f"{'__Host-' if _settings().secure_cookies else ''}fieldledger_{face}"


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _principal() -> Anybody | None:
    if "principal" not in g:
        g.principal = _load()
    principal: Anybody | None = g.principal
    return principal


def _load() -> Anybody | None:
    if request.path.startswith(STAFF_PATH):
        staff = user_of_token(token_of("staff")) if token_of("staff") else None
        found = Anybody(user=staff[0], payer=None, sign_in=staff[1]) if staff else None
    elif request.path.startswith("/my"):
        payer = payer_of_token(token_of("customer")) if token_of("customer") else None
        found = Anybody(user=None, payer=payer[0], sign_in=payer[1]) if payer else None
    else:
        return None
    if found is not None:
        g.sign_in_seen = found.sign_in.id, found.sign_in.last_seen_at
    return found


def _guard() -> Response | None:
    view = current_app.view_functions.get(request.endpoint or "")
    wanted = getattr(view, "needs", None)
    if view is None or wanted == "nobody" or request.endpoint == "static":
        return None
    principal = _principal()
    if principal is None:
        return missing_sign_in()
    _name_actor(principal)
    if wanted == "payer":
        return None if principal.payer else _to_sign_in("customer")
    if wanted is None or principal.user is None or not may(wanted):
        raise NotAllowed("Your role does not allow this. Ask an administrator.")
    return None


def missing_sign_in() -> Response | None:
    """The way to the sign-in for who needs one here and has none (any more); else None."""
    view = current_app.view_functions.get(request.endpoint or "")
    wanted = getattr(view, "needs", None)
    if view is None or wanted == "nobody" or _principal() is not None:
        return None
    return _to_sign_in("customer" if wanted == "payer" else "staff")


def _to_sign_in(face: str) -> Response:
    """Looking is taken up again after the sign-in; what was sent is not, and that is said."""
    wanted = request.full_path.rstrip("?")
    if request.method not in ("GET", "HEAD"):
        notify(_("You were signed out meanwhile, so nothing was saved. Sign in, then do it again."),
               "warning")  # fmt: skip
        wanted = page_before() or page_at(request.path)
    target = url_for(f"{face}.sign_in.show", next=wanted)
    if request.headers.get("HX-Request"):
        response = make_response("", 204)
        response.headers["HX-Redirect"] = target
        return response
    return make_response(redirect(target, 303))


def _name_actor(principal: Anybody) -> None:
    if principal.user:
        name = f"{principal.user.name} (staff {principal.user.id})"
    else:
        assert principal.payer is not None
        name = f"{principal.payer.email} (customer)"
    scope = acting_as(name)
    scope.__enter__()
    g.actor_scope = scope
