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


def normal_mobile(typed: str) -> str:
    """A mobile number as +15550100123; ten digits are a North American number.

    Raises ValueError with a sentence.
    """
    digits = "".join(char for char in typed if char.isdigit())
    plain = typed.strip().startswith("+") or (len(digits) == 11 and digits.startswith("1"))
    number = f"+{digits}" if plain else f"+1{digits}" if len(digits) == 10 else ""
    if not re.fullmatch(r"\+[1-9][0-9]{7,14}", number) or re.search(r"[^0-9+().\s/-]", typed):
        raise ValueError("Write a mobile number with its country code, e.g. +1 555 010 0123.")
    return number


def split_addresses(typed: str) -> list[str]:
    """Email addresses typed with commas, semicolons or line breaks between, each once.

    Raises ValueError naming the first that is none.
    """
    found = []
    for part in re.split(r"[,;\n]", typed.replace("\0", "")):
        if part.strip():
            try:
                found.append(normal_email(part))
            except ValueError as error:
                raise ValueError(f"{part.strip()}: {error}") from None
    return list(dict.fromkeys(found))
