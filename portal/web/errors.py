"""Errors as sentences: refused, not found, too big, broken with a code."""

from __future__ import annotations

import errno
import logging
import secrets
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from portal.access import TooManyTries
from portal.db import db
from portal.kernel.errors import Conflict, DomainError, NotAllowed, NotFound
from portal.web.fragments import render_page
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


def tell_error(sentence: str, status: int, *, title: str = "") -> Response:
    """A page that says what happened, or just the sentence for htmx."""
    heading = title or HTTPStatus(status).phrase
    response = render_page(
        "errors/sentence.html", fragment="sentence", status=status, title=heading, sentence=sentence
    )
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
    status = 409 if isinstance(error, Conflict) else 422
    return tell_error(str(error), status, title=_("This was not done"))


def _stale(_error: StaleDataError) -> Response:
    return tell_error(
        _("Somebody else saved this record at the same moment. Load it again, then repeat."), 409
    )


def _forged(_error: CSRFError) -> Response:
    return tell_error(
        _("This page was open too long or came from elsewhere. Go back, reload it and try again."),
        400,
        title=_("Please try again"),
    )


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
    return tell_error(sentences.get(code, error.description or error.name), code, title=error.name)


def _broken(error: Exception) -> Response:
    code = secrets.token_hex(4)
    log.error("incident %s at %s %s", code, request.method, request.path, exc_info=error)
    return tell_error(
        _("Something broke on our side. Nothing was saved. Incident %(code)s.", code=code),
        500,
        title=_("Something broke"),
    )
