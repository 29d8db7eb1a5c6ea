"""What programs send us: read whole, and never more than is sensible."""

from __future__ import annotations

from flask import abort, request

LARGEST = 256 * 1024  # bytes


def read_report() -> bytes:
    """The body of a webhook; answers 413 for one that is larger than any honest one."""
    if (request.content_length or 0) > LARGEST:
        abort(413)
    body = request.get_data(cache=False)
    if len(body) > LARGEST:  # a body sent in chunks names no length beforehand
        abort(413)
    return body
