"""Sales tax: zones with dated rates, and which postal code belongs to which zone."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.numbers import Rate


class TaxBase(StrEnum):
    """Which taxable lines a rate applies to."""

    SUBTOTAL = "subtotal"
    LABOR = "labor"
    MATERIAL = "material"


class TaxZone(Versioned, Base):
    """A place where the same sales taxes apply."""

    __tablename__ = "tax_zones"

    name: Mapped[str] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(default=True)

    rates: Mapped[list[TaxRate]] = relationship(
        back_populates="zone", cascade="all, delete-orphan", order_by="TaxRate.position"
    )

    def rates_on(self, day: date) -> list[TaxRate]:
        """The rates in force on that day."""
        return [rate for rate in self.rates if rate.is_in_force(day)]


class TaxRate(Base):
    """One authority's rate from a day on, up to and including `ends_on`."""

    __tablename__ = "tax_rates"
    __table_args__ = (
        sa.CheckConstraint("rate >= 0 AND rate <= 1000000", name="fraction"),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates_in_order"),
    )

    zone_id: Mapped[int] = mapped_column(sa.ForeignKey("tax_zones.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    authority: Mapped[str]
    base: Mapped[TaxBase] = mapped_column(named_enum(TaxBase), default=TaxBase.SUBTOTAL)
    rate: Mapped[Rate]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]

    zone: Mapped[TaxZone] = relationship(back_populates="rates")

    def is_in_force(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


class PostalTaxZone(Base):
    """A postal code pattern (98101, 981*) that suggests a zone.

    Two zones for one pattern make it ambiguous: a person must choose.
    """

    __tablename__ = "postal_tax_zones"
    __table_args__ = (sa.UniqueConstraint("pattern", "zone_id"),)

    pattern: Mapped[str] = mapped_column(index=True)
    zone_id: Mapped[int] = mapped_column(sa.ForeignKey("tax_zones.id"), index=True)

    zone: Mapped[TaxZone] = relationship()
