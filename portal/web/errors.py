"""Errors as sentences: refused, not found, too big, broken with a code."""

from __future__ import annotations

import errno
import logging
import secrets
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, make_response, redirect, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from portal.access import TooManyTries
from portal.db import db
from portal.kernel.errors import Conflict, DomainError, NotAllowed, NotFound
from portal.web.coming_back import page_at, page_before
from portal.web.fragments import notify, render_page
from portal.web.guards import missing_sign_in
from portal.web.htmx import is_htmx

log = logging.getLogger("fieldledger.web")


def set_up_errors(app: Flask) -> None:
    handlers: dict[type[Exception], Callable[[Any], Response]] = {
        DomainError: _refused,
        StaleDataError: _stale,
        CSRFError: _forged,
        OperationalError: _busy,
        DataError: _unfit,
        OverflowError: _unfit,
        OSError: _disk,
        HTTPException: _http,
        Exception: _broken,
    }
    for kind, handler in handlers.items():
        app.register_error_handler(kind, _after_rollback(handler))


def _after_rollback(handler: Callable[[Any], Response]) -> Callable[[Any], Response]:
    """Finding the words reads the database, which a failed transaction would refuse."""

    @wraps(handler)
    def handle(error: Exception) -> Response:
        db.session.rollback()
        return handler(error)

    return handle


def tell_error(
    sentence: str, status: int, *, title: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    """A page that says what happened, or just the sentence for htmx.

    `typed` is shown below it, so that nobody has to remember what they wrote.
    """
    response = render_page(
        "errors/sentence.html", fragment="sentence", status=status, sentence=sentence,
        title=title or HTTPStatus(status).phrase, typed=typed or {},
        back=page_before() or page_at(request.path) or "/",
    )  # fmt: skip
    if is_htmx():
        response.headers["HX-Retarget"] = "#notices"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _refused(error: DomainError) -> Response:
    if isinstance(error, NotFound):
        return tell_error(str(error), 404, title=_("Not found"))
    if isinstance(error, NotAllowed):
        return tell_error(str(error), 403, title=_("Not allowed"))
    if isinstance(error, TooManyTries):
        return tell_error(str(error), 429, title=_("Please wait"))
    if request.method == "POST" and not is_htmx() and page_before():
        # A button of a page was pressed: the sentence is told on that page.
        notify(str(error), "danger")
        return make_response(redirect(page_before(), 303))
    status = 409 if isinstance(error, Conflict) else 422
    return tell_error(str(error), status, title=_("This was not done"))


def _stale(_error: StaleDataError) -> Response:
    return tell_error(
        _("Somebody else saved this record at the same moment. Load it again, then repeat."), 409
    )


def _forged(_error: CSRFError) -> Response:
    """The key of the form is lost with the visit: then say so, and show what was typed."""
    signed_out = missing_sign_in()
    if signed_out is not None:
        return signed_out
    return tell_error(
        _(
            "This page was open too long or came from elsewhere. Nothing was saved. "
            "Go back, reload it and try again."
        ),
        400,
        title=_("Please try again"),
        typed=_typed(),
    )


def _typed() -> dict[str, str]:
    """What a form carried, without what nobody may see or can read."""
    hidden = ("csrf_token", "once", "version", "password", "current", "code")
    return {
        name.replace("_", " ").capitalize(): value
        for name, value in request.form.items()
        if name not in hidden and value.strip()
    }


def _busy(error: OperationalError) -> Response:
    log.exception("the database could not answer")
    if "disk is full" in str(error.orig) or "No space left" in str(error.orig):
        return tell_error(_("The disk of the server is full. Nothing was saved."), 507)
    return tell_error(_("The database is busy. Nothing was saved; please try again."), 503)


def _unfit(_error: DataError | OverflowError) -> Response:
    return tell_error(
        _("A number or character in this cannot be kept. Nothing was saved."),
        400,
        title=_("Please check what you typed"),
    )


def _disk(error: OSError) -> Response:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        log.exception("disk full")
        return tell_error(_("The disk of the server is full. Nothing was saved."), 507)
    return _broken(error)


def _http(error: HTTPException) -> Response:
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    sentences = {
        403: _("You may not see this."),
        404: _("There is nothing here, or it is not yours to see."),
        405: _("This address does not do that."),
        413: _("This is too large."),
        429: _("Too many requests. Please wait a minute."),
    }
    code = error.code or 500
    if code == 405 and request.method == "GET" and page_at(request.path):
        return make_response(redirect(page_at(request.path), 303))
    return tell_error(sentences.get(code, error.description or error.name), code, title=error.name)


def _broken(error: Exception) -> Response:
    code = secrets.token_hex(4)
    # The rule, not the address: links to pay and to sign in carry their key in the address.
    where = request.url_rule.rule if request.url_rule else "an unknown address"
    log.error("incident %s at %s %s", code, request.method, where, exc_info=error)
    return tell_error(
        _("Something broke on our side. Nothing was saved. Incident %(code)s.", code=code),
        500,
        title=_("Something broke"),
    )
