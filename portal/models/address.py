"""Postal address columns shared by whoever has one."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column


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
        place = (
            f"{self.city}, {self.region}" if self.city and self.region else self.city + self.region
        )
        return [
            line for line in (self.street, self.unit, f"{place} {self.postal_code}".strip()) if line
        ]

    @property
    def one_line_address(self) -> str:
        return ", ".join(self.address_lines)
