"""Jobs: the work, and what was logged while doing it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models.company import BusinessUnit
from portal.models.customer import Customer, Location
from portal.models.file import StoredFile
from portal.models.pricebook import PriceBookItem
from portal.models.user import User


class JobState(StrEnum):
    BOOKED = "booked"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


_OPEN = frozenset({JobState.BOOKED, JobState.IN_PROGRESS})

JOB = Lifecycle[JobState](
    "this job",
    {
        "start": (frozenset({JobState.BOOKED}), JobState.IN_PROGRESS),
        "complete": (_OPEN, JobState.DONE),
        "cancel": (_OPEN, JobState.CANCELLED),
        "reopen": (frozenset({JobState.DONE}), JobState.IN_PROGRESS),
    },
)


class Job(Versioned, Base):
    """A service order at one location, billed to one customer."""

    __tablename__ = "jobs"

    number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    location_id: Mapped[int] = mapped_column(sa.ForeignKey("locations.id"), index=True)
    business_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("business_units.id"))
    technician_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    job_type: Mapped[str] = mapped_column(default="")
    summary: Mapped[str] = mapped_column(default="")
    purchase_order: Mapped[str] = mapped_column(default="")
    state: Mapped[JobState] = mapped_column(
        named_enum(JobState), default=JobState.BOOKED, index=True
    )
    scheduled_on: Mapped[date | None] = mapped_column(index=True)
    completed_on: Mapped[date | None]
    cancelled_because: Mapped[str] = mapped_column(default="")

    customer: Mapped[Customer] = relationship()
    location: Mapped[Location] = relationship()
    business_unit: Mapped[BusinessUnit | None] = relationship()
    technician: Mapped[User | None] = relationship()
    logs: Mapped[list[JobLog]] = relationship(
        back_populates="job", cascade="all, delete-orphan", order_by="JobLog.id"
    )
    notes: Mapped[list[JobNote]] = relationship(cascade="all", order_by="JobNote.id")
    photos: Mapped[list[JobPhoto]] = relationship(cascade="all", order_by="JobPhoto.id")
    estimate: Mapped[list[EstimateLine]] = relationship(
        cascade="all, delete-orphan", order_by="EstimateLine.id"
    )

    @property
    def next_verbs(self) -> list[str]:
        return JOB.verbs(self.state)

    @property
    def is_open(self) -> bool:
        return self.state in _OPEN


class JobLog(Base):
    """Labor, material, equipment, fee or discount used on a job, through the price book.

    Labor counts hours. Without an item it is off-catalogue and needs its own price.
    """

    __tablename__ = "job_logs"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("item_id IS NOT NULL OR unit_price IS NOT NULL", name="priced_somehow"),
    )

    job_id: Mapped[int] = mapped_column(sa.ForeignKey("jobs.id"), index=True)
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("price_book_items.id"))
    technician_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    logged_on: Mapped[date]
    description: Mapped[str] = mapped_column(default="")
    quantity: Mapped[Quantity]
    unit_price: Mapped[UnitPrice | None]

    job: Mapped[Job] = relationship(back_populates="logs")
    item: Mapped[PriceBookItem | None] = relationship()
    technician: Mapped[User | None] = relationship()


class JobNote(Base):
    __tablename__ = "job_notes"

    job_id: Mapped[int] = mapped_column(sa.ForeignKey("jobs.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    text: Mapped[str]
    written_at: Mapped[datetime]

    author: Mapped[User | None] = relationship()


class JobPhoto(Base):
    __tablename__ = "job_photos"

    job_id: Mapped[int] = mapped_column(sa.ForeignKey("jobs.id"), index=True)
    file_id: Mapped[int] = mapped_column(sa.ForeignKey("stored_files.id"))
    caption: Mapped[str] = mapped_column(default="")
    shared: Mapped[bool] = mapped_column(default=False)  # with the customer

    file: Mapped[StoredFile] = relationship()


class EstimateLine(Base):
    """What the customer was told it would cost before the work began."""

    __tablename__ = "estimate_lines"

    job_id: Mapped[int] = mapped_column(sa.ForeignKey("jobs.id"), index=True)
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("price_book_items.id"))
    description: Mapped[str]
    quantity: Mapped[Quantity]
    unit_price: Mapped[UnitPrice]

    item: Mapped[PriceBookItem | None] = relationship()
