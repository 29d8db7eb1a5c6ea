"""One request, one transaction: committed when it went well, rolled back when not."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, request

from portal.access import touch
from portal.db import db, reading


class TransactionalFlask(Flask):
    """Commits before the answer leaves, so that a failing commit becomes an error page."""

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> Response:
        if not from_error_handler:
            rv = self.make_response(rv)
            if rv.status_code < 400:
                db.session.commit()
            else:
                db.session.rollback()
        return super().finalize_request(rv, from_error_handler)

    def full_dispatch_request(self) -> Response:
        try:
            return super().full_dispatch_request()
        except Exception as error:
            db.session.rollback()
            answer = self.handle_user_exception(error)
            return self.finalize_request(answer, from_error_handler=True)


def set_up_transactions(app: Flask) -> None:
    """GET and HEAD only read, so they never wait for SQLite's one writer."""
    app.before_request(_begin)
    app.after_request(_remember_seen)
    app.teardown_request(_end)


def _begin() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        scope = reading()
        scope.__enter__()
        g.reading_scope = scope


def _remember_seen(response: Response) -> Response:
    seen = g.pop("sign_in_seen", None)
    if seen is not None and response.status_code < 400:
        touch(*seen)
    return response


def _end(_error: BaseException | None) -> None:
    for name in ("actor_scope", "reading_scope"):
        scope = g.pop(name, None)
        if scope is not None:
            scope.__exit__(None, None, None)
