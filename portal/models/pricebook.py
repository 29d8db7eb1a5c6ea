"""The price book: what may stand on an invoice and what it costs whom."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.numbers import UnitPrice
from portal.models.ledger import Account


class ItemKind(StrEnum):
    SERVICE = "service"
    MATERIAL = "material"
    EQUIPMENT = "equipment"
    FEE = "fee"
    DISCOUNT = "discount"


class TaxClass(StrEnum):
    """What a line is to the tax authority; rates on labor or material look at it."""

    LABOR = "labor"
    MATERIAL = "material"
    TRIP = "trip"
    DISPOSAL = "disposal"
    OTHER = "other"


class PriceBookItem(Versioned, Base):
    """Something we sell. A discount's price is positive here and taken off on the invoice."""

    __tablename__ = "price_book_items"
    __table_args__ = (sa.CheckConstraint("unit_price >= 0", name="price_not_negative"),)

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    kind: Mapped[ItemKind] = mapped_column(named_enum(ItemKind), index=True)
    unit: Mapped[str] = mapped_column(default="each")
    unit_price: Mapped[UnitPrice]
    unit_cost: Mapped[UnitPrice] = mapped_column(default=UnitPrice(0))
    taxable: Mapped[bool] = mapped_column(default=True)
    tax_class: Mapped[TaxClass] = mapped_column(named_enum(TaxClass), default=TaxClass.OTHER)
    income_account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    active: Mapped[bool] = mapped_column(default=True)

    income_account: Mapped[Account | None] = relationship()


class CustomerPrice(Base):
    """What one customer pays for one item instead of the price book's price."""

    __tablename__ = "customer_prices"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "item_id"),
        sa.CheckConstraint("unit_price >= 0", name="price_not_negative"),
    )

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("price_book_items.id"), index=True)
    unit_price: Mapped[UnitPrice]

    item: Mapped[PriceBookItem] = relationship()
