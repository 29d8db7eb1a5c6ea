"""What htmx asked for; the only module that imports htmx_flask, which ships no types."""

from __future__ import annotations

from flask import Flask
from htmx_flask import Htmx, request


def set_up_htmx(app: Flask) -> None:
    Htmx(app)


def wants_fragment() -> bool:
    """Whether htmx asked for a part of a page; boosted and history requests want all of it."""
    htmx = request.htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def is_htmx() -> bool:
    return bool(request.htmx)
