"""What stands on top of every document."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import segno
from flask_babel import gettext as _
from PIL import Image

from portal.company import company
from portal.files import open_file
from portal.models import Company

BLACK_ON_WHITE = bytes([255, 0]) + bytes(254)  # a dark module is 1 in the matrix


@dataclass(frozen=True)
class Letterhead:
    """The company's words and colours on paper; `logo` is a data URI or empty.

    `reach` is how to reach the company: phone, email, website. `legal` is what the law or a
    bank transfer needs: VAT ID, registration number, IBAN and BIC.
    """

    name: str
    address: tuple[str, ...]
    reach: tuple[str, ...]
    remit_to: tuple[str, ...]
    message: str
    legal: tuple[str, ...]
    colour: str
    text_colour: str
    logo: str
    currency: str
    zone: str


def letterhead(row: Company | None = None) -> Letterhead:
    """The letterhead as the company row says today, or as `row` would say it."""
    row = row or company()
    remit = row.remit_to.splitlines() or [row.name, *row.address_lines]
    return Letterhead(
        name=row.name,
        address=tuple(row.address_lines),
        reach=tuple(word for word in (row.phone, row.email, row.website) if word),
        remit_to=tuple(remit),
        message=row.invoice_message,
        legal=_legal(row),
        colour=row.brand_color,
        text_colour=row.text_color,
        logo=_data_uri(row.logo_key) if row.logo_key else "",
        currency=row.currency,
        zone=row.zone,
    )


def _legal(row: Company) -> tuple[str, ...]:
    said = (
        (_("VAT ID"), row.vat_id),
        (_("Registration"), row.registration_number),
        ("IBAN", row.iban),
        ("BIC", row.bic),
    )
    return tuple(f"{what} {value}" for what, value in said if value)


def qr_code(address: str) -> str:
    """A QR code as a data URI of a PNG.

    Every mask is readable; looking for the prettiest would take longer than the page's text,
    and so would drawing each module as a vector. Two pixels a module are enough: the documents
    ask for crisp edges, so a printer makes squares of them. Grey levels, because a page takes
    such a picture as it is and writes one of two colours anew.
    """
    rows = segno.make_qr(address, error="m", mask=3).matrix
    side = len(rows)
    picture = Image.frombytes("L", (side, side), b"".join(rows).translate(BLACK_ON_WHITE))
    drawn = io.BytesIO()
    picture.resize((2 * side, 2 * side), Image.Resampling.NEAREST).save(drawn, format="PNG")
    return "data:image/png;base64," + base64.b64encode(drawn.getvalue()).decode()


def _data_uri(key: str) -> str:
    try:
        content = open_file(key)
    except OSError:
        return ""
    return "data:image/png;base64," + base64.b64encode(content).decode()
