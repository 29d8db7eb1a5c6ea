"""Email addresses in one form, or a sentence saying what is wrong."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[^@\s,;<>\"()\[\]\\]+@[^@\s,;<>\"()\[\]\\.]+(\.[^@\s,;<>\"()\[\]\\.]+)+")


def normal_email(typed: str) -> str:
    """Lower case and trimmed; empty stays empty. Raises ValueError with a sentence."""
    email = typed.strip().lower()
    if email and (len(email) > 254 or not _EMAIL.fullmatch(email)):
        raise ValueError("This does not look like an email address, e.g. ada@example.com.")
    return email
