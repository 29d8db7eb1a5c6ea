"""The first page: customers go to their portal, the office to its own."""

from __future__ import annotations

from flask import Blueprint, Response

from portal.web import open_to_all, redirect_to

bp = Blueprint("start", __name__)


@bp.get("/")
@open_to_all
def show() -> Response:
    return redirect_to("customer.home.show")


@bp.get("/healthz")
@open_to_all
def healthy() -> Response:
    return Response("ok\n", mimetype="text/plain")
