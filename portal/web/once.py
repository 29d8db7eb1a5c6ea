"""A form sent twice is carried out once: double clicks, reloads, an impatient network."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, make_response, redirect, request
from flask_babel import gettext as _
from wtforms import HiddenField

from portal.db import db, in_transaction, insert_once
from portal.kernel import clock
from portal.models import Submission
from portal.web.forms import Form
from portal.web.fragments import notify
from portal.web.htmx import is_htmx

REMEMBERED = timedelta(days=2)


class OnceField(HiddenField):
    """A random key given to each form that is shown; a form without one counts as new."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default=lambda: secrets.token_urlsafe(18), **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist and valuelist[0]:
            self.data = valuelist[0]


def once(
    form: Form, act: Callable[[], Response], *, again: Callable[[], Response] | None = None
) -> Response:
    """Run `act` for the first arrival of this form; a repeat is led to the first one's result.

    The same is the same key, address and content: somebody who goes back and types another
    check means another payment. The key is saved in the same transaction as what `act` does,
    so refused or rolled back work may be sent again. `again` answers a repeat where the result
    has no address of its own.
    """
    submission = Submission(key=_key(form))
    if not insert_once(submission):
        notify(_("This was already recorded; nothing was added."), "warning")
        if again is not None:
            return again()
        same = Submission.key == submission.key
        return _lead_to(db.session.scalars(sa.select(Submission.address).where(same)).one())
    response = act()
    submission.address = response.headers.get("HX-Redirect") or response.location or ""
    return response


def _key(form: Form) -> str:
    typed = sorted(
        (name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"
    )
    words = json.dumps([request.full_path, form["once"].data, typed])
    return hashlib.sha256(words.encode()).hexdigest()


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
