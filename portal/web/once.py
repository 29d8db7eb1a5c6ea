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
    form: Form,
    act: Callable[[], Response],
    *,
    again: Callable[[], Response] | None = None,
    never_alike: bool = False,
) -> Response:
    """Run `act` for the first arrival of this form; a repeat is led to the first one's result.

    The same is the same key, address and content: somebody who goes back and types another
    check means another payment. The key is saved in the same transaction as what `act` does,
    so refused or rolled back work may be sent again. `again` answers a repeat where the result
    has no address of its own.

    With `never_alike` the key alone is the same form, whatever was typed since (somebody went
    back and mended a word), and so is another form with just the same content: nobody has two
    customers alike in every word.
    """
    made: list[Submission] = []
    for key in _keys(form, never_alike=never_alike):
        submission = Submission(key=key)
        if not insert_once(submission):
            first = db.session.scalars(sa.select(Submission).where(Submission.key == key)).one()
            for one in made:
                one.address = first.address
            _tell_of_first(never_alike=never_alike)
            return again() if again is not None else _lead_to(first.address)
        made.append(submission)
    response = act()
    for one in made:
        one.address = response.headers.get("HX-Redirect") or response.location or ""
    return response


def is_repeat(form: Form) -> bool:
    """Whether `once` would lead this form to what its first arrival made, word for word."""
    keys = _keys(form, never_alike=False)
    return db.session.scalar(sa.select(Submission.id).where(Submission.key.in_(keys))) is not None


def _keys(form: Form, *, never_alike: bool) -> list[str]:
    without = ("csrf_token", "once")
    typed = sorted((n, v) for n, v in request.form.items(multi=True) if n not in without)
    key = form["once"].data
    if not never_alike:
        return [_sealed([key, typed])]
    return [_sealed(["content", typed]), *([_sealed(["key", key])] if key else [])]


def _sealed(words: list[Any]) -> str:
    return hashlib.sha256(json.dumps([request.full_path, *words]).encode()).hexdigest()


def _tell_of_first(*, never_alike: bool) -> None:
    if never_alike:
        notify(_("This form was saved before: here is what it made. Change it here."), "warning")
    else:
        notify(_("This was already recorded; nothing was added."), "warning")


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
