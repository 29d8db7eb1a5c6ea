"""Where a person goes next: only ever to a page of ours, and to one that can be looked at."""

from __future__ import annotations

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

FACES = ("/staff/", "/my/", "/pay/")


def safe_next(face: str) -> str:
    """Where `?next=` asks to go, if that is a page of this face ("/staff/"); else empty."""
    target = request.args.get("next", "")
    inside = target.startswith(face) and "//" not in target and "\\" not in target
    return target if inside and target.isprintable() else ""


def page_before() -> str:
    """The page of ours this request came from, as path and query; empty when unknown."""
    came_from = request.referrer or ""
    if not came_from.startswith(request.host_url) or not came_from.isprintable():
        return ""
    target = came_from.removeprefix(request.host_url.rstrip("/")).partition("#")[0]
    inside = "//" not in target and "\\" not in target
    return target if inside and page_at(target.partition("?")[0]) else ""


def page_at(path: str) -> str:
    """The page that belongs to an address which itself only takes forms; empty without one.

    A form that was refused is shown under the address it was sent to. Loading that address
    again gives the form anew (`/new`, `/edit`), or what it belongs to.
    """
    if not path.startswith(FACES):
        return ""
    here = path.rstrip("/")
    tries = [path, f"{here}/new", f"{here}/edit"]
    while here.count("/") > 1:
        here = here.rpartition("/")[0]
        tries += [here, f"{here}/"]
    return next((one for one in tries if _can_be_looked_at(one)), "")


def _can_be_looked_at(path: str) -> bool:
    try:
        current_app.url_map.bind("").match(path, method="GET")
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True
