"""The company that keeps its books here, and its business units."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Versioned, named_enum
from portal.models.address import HasAddress


class Paper(StrEnum):
    LETTER = "letter"
    A4 = "a4"


class Company(HasAddress, Versioned, Base):
    """One row. What letterheads, emails and dates are made of."""

    __tablename__ = "companies"
    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"),)

    name: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    website: Mapped[str] = mapped_column(default="")
    logo_key: Mapped[str] = mapped_column(default="")
    brand_color: Mapped[str] = mapped_column(default="#1f5eff")
    text_color: Mapped[str] = mapped_column(default="#1d2433")
    vat_id: Mapped[str] = mapped_column(default="")
    registration_number: Mapped[str] = mapped_column(default="")
    iban: Mapped[str] = mapped_column(default="")
    bic: Mapped[str] = mapped_column(default="")
    invoice_message: Mapped[str] = mapped_column(default="")
    remit_to: Mapped[str] = mapped_column(default="")
    zone: Mapped[str] = mapped_column(default="America/Chicago")
    locale: Mapped[str] = mapped_column(default="en_US")
    currency: Mapped[str] = mapped_column(sa.String(3), default="USD")
    paper: Mapped[Paper] = mapped_column(named_enum(Paper), default=Paper.LETTER)
    fiscal_year_first_month: Mapped[int] = mapped_column(default=1)
    default_term_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payment_terms.id"))
    # where the card processor's payouts arrive; None: the account that plays Checking
    payout_account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    # whether what nobody reviewed is kept out of batches and off the books
    only_reviewed_posts: Mapped[bool] = mapped_column(default=False)
    # who walks in is taxed there; None: where the company's own ZIP lies
    walk_in_zone_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("tax_zones.id", name="fk_companies_walk_in_zone_id_tax_zones")
    )


class BusinessUnit(Versioned, Base):
    """A line of business whose revenue is told apart, e.g. HVAC service."""

    __tablename__ = "business_units"

    name: Mapped[str] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(default=True)
