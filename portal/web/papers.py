"""Papers shown in the browser."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response


def pdf_response(content: bytes, filename: str) -> Response:
    """A PDF shown in the browser, saved under `filename` in any alphabet (RFC 6266)."""
    safe = (c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in filename)
    plain = "".join(safe)
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = (
        f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
    )
    return response
