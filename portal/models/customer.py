"""Who pays, where the work is done, and whom to write to."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.models.address import HasAddress
from portal.models.tax import TaxZone
from portal.models.term import PaymentTerm
from portal.models.user import User


class Delivery(StrEnum):
    """How a customer wants documents."""

    EMAIL = "email"
    MAIL = "mail"
    BOTH = "both"
    SMS = "sms"


class BillingAccess(StrEnum):
    """What a contact may see and do in the portal."""

    NONE = "none"
    VIEW = "view"
    PAY = "pay"


class CustomerType(Versioned, Base):
    """A label such as Residential or Property manager; policies hang on it.

    `is_business`: its customers are no consumers, so consumer rules do not bind them.
    """

    __tablename__ = "customer_types"

    name: Mapped[str] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    is_business: Mapped[bool] = mapped_column(default=False)


class Customer(HasAddress, Versioned, Base):
    """A bill-to customer: the one who owes. The address is where bills are mailed."""

    __tablename__ = "customers"

    name: Mapped[str] = mapped_column(index=True)
    customer_type_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer_types.id"))
    term_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payment_terms.id"))
    delivery: Mapped[Delivery] = mapped_column(named_enum(Delivery), default=Delivery.EMAIL)
    language: Mapped[str] = mapped_column(default="en")
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    notes: Mapped[str] = mapped_column(default="")
    tax_exempt: Mapped[bool] = mapped_column(default=False)
    exemption_certificate: Mapped[str] = mapped_column(default="")
    exemption_expires_on: Mapped[date | None]
    cc_emails: Mapped[str] = mapped_column(default="")  # comma-separated, on every invoice mail
    auto_send: Mapped[bool] = mapped_column(default=True)  # false: never by rule
    vat_id: Mapped[str] = mapped_column(default="")
    electronic_invoice: Mapped[bool] = mapped_column(default=False)  # PDFs carry Factur-X data
    active: Mapped[bool] = mapped_column(default=True)
    external_key: Mapped[str | None] = mapped_column(unique=True)
    collector_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)

    collector: Mapped[User | None] = relationship()
    customer_type: Mapped[CustomerType | None] = relationship()
    term: Mapped[PaymentTerm | None] = relationship()
    locations: Mapped[list[Location]] = relationship(
        back_populates="customer", order_by="Location.id"
    )
    contacts: Mapped[list[Contact]] = relationship(back_populates="customer", order_by="Contact.id")
    tags: Mapped[list[CustomerTag]] = relationship(
        cascade="all, delete-orphan", order_by="CustomerTag.tag"
    )

    @property
    def is_business(self) -> bool:
        """Only a type can say so; who has none counts as a consumer."""
        return self.customer_type is not None and bool(self.customer_type.is_business)

    def is_tax_exempt(self, on: date) -> bool:
        """Exempt, and the certificate has not expired before that day."""
        expires = self.exemption_expires_on
        return self.tax_exempt and (expires is None or on <= expires)


class CustomerTag(Base):
    __tablename__ = "customer_tags"
    __table_args__ = (sa.UniqueConstraint("customer_id", "tag"),)

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    tag: Mapped[str]


class Location(HasAddress, Versioned, Base):
    """Where work is done; sales tax follows it."""

    __tablename__ = "locations"

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    name: Mapped[str] = mapped_column(default="")
    tax_zone_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tax_zones.id"))
    notes: Mapped[str] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    external_key: Mapped[str | None] = mapped_column(unique=True)

    customer: Mapped[Customer] = relationship(back_populates="locations")
    tax_zone: Mapped[TaxZone | None] = relationship()


class Contact(Versioned, Base):
    """A person at a customer. The email address is what signs in to the portal."""

    __tablename__ = "contacts"

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(default="", index=True)  # kept in lower case
    phone: Mapped[str] = mapped_column(default="")
    is_mobile: Mapped[bool] = mapped_column(default=False)
    billing_access: Mapped[BillingAccess] = mapped_column(
        named_enum(BillingAccess), default=BillingAccess.PAY
    )
    language: Mapped[str] = mapped_column(default="en")
    active: Mapped[bool] = mapped_column(default=True)
    last_signed_in_at: Mapped[datetime | None]

    customer: Mapped[Customer] = relationship(back_populates="contacts")
