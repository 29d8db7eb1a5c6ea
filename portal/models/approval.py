"""Which invoices somebody else has to agree to before they are posted."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned
from portal.kernel.money import Money
from portal.models.customer import Customer


class ApprovalRule(Versioned, Base):
    """Matches when everything it names holds: a total above `over`, a customer, a job type."""

    __tablename__ = "approval_rules"
    __table_args__ = (
        sa.CheckConstraint(
            "over IS NOT NULL OR customer_id IS NOT NULL OR job_type <> ''", name="names_something"
        ),
    )

    name: Mapped[str] = mapped_column(unique=True)
    over: Mapped[Money | None]
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"))
    job_type: Mapped[str] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)

    customer: Mapped[Customer | None] = relationship()
