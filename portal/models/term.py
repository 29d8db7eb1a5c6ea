"""Payment terms: when an invoice is due."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Versioned, named_enum
from portal.kernel import calendar
from portal.kernel.numbers import Rate


class DueKind(StrEnum):
    """How the due date follows from the invoice date."""

    DAYS_AFTER = "days_after"
    DAY_OF_THIS_MONTH = "day_of_this_month"
    DAY_OF_NEXT_MONTH = "day_of_next_month"
    END_OF_MONTH = "end_of_month"


class PaymentTerm(Versioned, Base):
    """A rule for due dates with an optional discount for paying early.

    Source: servicetitan-rules §10. The day is clamped to the month's length; a day of the
    invoice's own month that is already past moves to the next month.
    """

    __tablename__ = "payment_terms"
    __table_args__ = (
        sa.CheckConstraint("due_day >= 0 AND due_day <= 365", name="due_day_range"),
        sa.CheckConstraint(
            "due_kind NOT IN ('day_of_this_month', 'day_of_next_month') "
            "OR due_day BETWEEN 1 AND 31",
            name="day_of_month",
        ),
    )

    name: Mapped[str] = mapped_column(unique=True)
    due_kind: Mapped[DueKind] = mapped_column(named_enum(DueKind), default=DueKind.DAYS_AFTER)
    due_day: Mapped[int] = mapped_column(default=0)
    discount_rate: Mapped[Rate] = mapped_column(default=Rate(0))
    discount_days: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)

    def due_date(self, invoice_date: date) -> date:
        match self.due_kind:
            case DueKind.DAYS_AFTER:
                return invoice_date + timedelta(days=self.due_day)
            case DueKind.END_OF_MONTH:
                return calendar.month_end(invoice_date)
            case DueKind.DAY_OF_NEXT_MONTH:
                return calendar.add_months(invoice_date, 1, day=self.due_day)
            case DueKind.DAY_OF_THIS_MONTH:
                this = calendar.on_day(invoice_date.year, invoice_date.month, self.due_day)
                if this >= invoice_date:
                    return this
                return calendar.add_months(invoice_date, 1, day=self.due_day)
