"""The company's colour and logo as addresses of their own, so that pages need no inline style."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from portal.company import company
from portal.files import open_file
from portal.kernel.colours import contrast
from portal.web.guards import open_to_all

brand = Blueprint("brand", __name__)


@brand.get("/brand.css", endpoint="css")
@open_to_all
def style() -> Response:
    colour = company().brand_color
    ink = "#ffffff" if contrast(colour, "#ffffff") >= 4.5 else "#10151c"
    text = f":root {{ --brand: {colour}; --brand-ink: {ink}; --tblr-primary: {colour}; }}\n"
    response = Response(text, mimetype="text/css")
    response.headers["Cache-Control"] = "max-age=60"
    return response


@brand.get("/brand/logo.png")
@open_to_all
def logo() -> Response:
    key = company().logo_key
    if not key:
        abort(404)
    try:
        return Response(
            open_file(key), mimetype="image/png", headers={"Cache-Control": "max-age=60"}
        )
    except OSError:
        abort(404)
