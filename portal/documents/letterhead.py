"""What stands on top of every document."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import segno

from portal.company import company
from portal.files import open_file


@dataclass(frozen=True)
class Letterhead:
    """The company's words and colours on paper; `logo` is a data URI or empty.

    `reach` is how to reach the company: phone, email, website.
    """

    name: str
    address: tuple[str, ...]
    reach: tuple[str, ...]
    remit_to: tuple[str, ...]
    message: str
    colour: str
    logo: str
    currency: str
    zone: str


def letterhead() -> Letterhead:
    """The letterhead as the company row says today."""
    row = company()
    remit = row.remit_to.splitlines() or [row.name, *row.address_lines]
    return Letterhead(
        name=row.name,
        address=tuple(row.address_lines),
        reach=tuple(word for word in (row.phone, row.email, row.website) if word),
        remit_to=tuple(remit),
        message=row.invoice_message,
        colour=row.brand_color,
        logo=_data_uri(row.logo_key) if row.logo_key else "",
        currency=row.currency,
        zone=row.zone,
    )


def qr_code(address: str) -> str:
    """A QR code as a data URI of a PNG.

    Every mask is readable; looking for the prettiest would take longer than the page's text,
    and so would drawing each module as a vector.
    """
    drawn = io.BytesIO()
    segno.make_qr(address, error="m", mask=3).save(drawn, kind="png", scale=5, border=0)
    return "data:image/png;base64," + base64.b64encode(drawn.getvalue()).decode()


def _data_uri(key: str) -> str:
    try:
        content = open_file(key)
    except OSError:
        return ""
    return "data:image/png;base64," + base64.b64encode(content).decode()
