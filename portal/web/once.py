"""A form sent twice is carried out once: double clicks, reloads, an impatient network."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, make_response, redirect, request
from wtforms import HiddenField

from portal.db import db, in_transaction, insert_once
from portal.kernel import clock
from portal.models import Submission
from portal.web.forms import Form
from portal.web.htmx import is_htmx

REMEMBERED = timedelta(days=2)


class OnceField(HiddenField):
    """A random key given to each form that is shown; a form without one counts as new."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default=lambda: secrets.token_urlsafe(18), **kwargs)


def once(
    form: Form, act: Callable[[], Response], *, again: Callable[[], Response] | None = None
) -> Response:
    """Run `act` for the first arrival of this form; a repeat is led to the first one's result.

    The key is saved in the same transaction as what `act` does: refused or rolled back work
    may be sent again. `again` answers a repeat where the result has no address of its own.
    """
    key = f"{request.endpoint} {form['once'].data}"[:200]
    submission = Submission(key=key)
    if not insert_once(submission):
        if again is not None:
            return again()
        first = db.session.scalars(sa.select(Submission).where(Submission.key == key)).one()
        return _lead_to(first.address)
    response = act()
    submission.address = response.headers.get("HX-Redirect") or response.location or ""
    return response


def forget_old_submissions() -> None:
    """Nobody sends a form again after days."""
    limit = clock.now() - REMEMBERED
    in_transaction(
        lambda: db.session.execute(sa.delete(Submission).where(Submission.created_at < limit))
    )


def _lead_to(address: str) -> Response:
    if is_htmx():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = address
        return response
    return make_response(redirect(address, 303))
