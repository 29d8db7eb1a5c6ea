"""Postal address columns shared by whoever has one."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

ON_AN_ENVELOPE = ("street", "unit", "city", "region", "postal_code")


def envelope_lines(street: str, unit: str, city: str, region: str, postal_code: str) -> list[str]:
    """The lines of an envelope below the name, empty ones left out."""
    place = f"{city}, {region}" if city and region else city + region
    return [line for line in (street, unit, f"{place} {postal_code}".strip()) if line]


class HasAddress:
    """A postal address; empty strings where unknown."""

    street: Mapped[str] = mapped_column(default="")
    unit: Mapped[str] = mapped_column(default="")
    city: Mapped[str] = mapped_column(default="")
    region: Mapped[str] = mapped_column(default="")
    postal_code: Mapped[str] = mapped_column(default="", index=True)
    country: Mapped[str] = mapped_column(default="US")

    @property
    def address_lines(self) -> list[str]:
        """The lines of an envelope below the name, empty ones left out."""
        return envelope_lines(self.street, self.unit, self.city, self.region, self.postal_code)

    @property
    def one_line_address(self) -> str:
        return ", ".join(self.address_lines)
