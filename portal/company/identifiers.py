"""Numbers that carry their own check: VAT ID, IBAN, BIC; and country codes."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale
from stdnum import bic, iban
from stdnum.eu import vat
from stdnum.exceptions import ValidationError

_ANY_VAT_ID = re.compile(r"[A-Z]{2}[0-9A-Z]{2,13}")


def checked_vat_id(typed: str) -> str:
    """The VAT ID without blanks; ValueError with a sentence when it cannot be one.

    Those of the European Union are checked by their country's rule, others by form only.
    """
    number = re.sub(r"[\s.-]", "", typed).upper()
    if not number:
        return ""
    if not _ANY_VAT_ID.fullmatch(number):
        raise ValueError("A VAT ID starts with the country's two letters, such as DE136695976.")
    if number[:2].lower() in vat.MEMBER_STATES or number[:2] == "EL":
        try:
            vat.validate(number)
        except ValidationError as error:
            raise ValueError("This VAT ID has a digit wrong: its check does not match.") from error
    return number


def checked_iban(typed: str) -> str:
    """The IBAN without blanks; ValueError when its checksum or length is wrong."""
    number = re.sub(r"\s", "", typed).upper()
    try:
        return str(iban.validate(number)) if number else ""
    except ValidationError as error:
        raise ValueError("This IBAN is not right: compare it digit by digit.") from error


def checked_bic(typed: str) -> str:
    """The BIC without blanks; ValueError when it has not the form of one."""
    code = re.sub(r"\s", "", typed).upper()
    try:
        return str(bic.validate(code)) if code else ""
    except ValidationError as error:
        raise ValueError("A BIC has 8 or 11 characters, such as DEUTDEFF.") from error


def checked_country(typed: str) -> str:
    """The two letters of a country (ISO 3166); ValueError for anything else."""
    code = typed.strip().upper()
    if code not in countries():
        raise ValueError("Give the country as two letters, such as US or DE.")
    return code


@cache
def countries() -> frozenset[str]:
    """Every country code that is in use."""
    known = {str(code) for code in Locale("en").territories}
    apart = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "XK"}
    return frozenset(code for code in known if len(code) == 2 and code.isalpha()) - apart
