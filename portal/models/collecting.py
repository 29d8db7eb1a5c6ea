"""Who may be asked for money and how: flags, opt-outs, every contact, promises to pay."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.money import Money
from portal.models.customer import Contact, Customer
from portal.models.message import Message
from portal.models.user import User


class ContactWay(StrEnum):
    """How somebody is reached."""

    CALL = "call"
    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"


class CollectionStanding(Versioned, Base):
    """What the office must know before it asks this customer for money; no row: nothing special.

    `represented` names the attorney who alone may be written to. `ceased` means the customer
    asked for no more contact at all, or died. `best_way` is how they want to be reached.
    """

    __tablename__ = "collection_standings"

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), unique=True)
    on_hold: Mapped[bool] = mapped_column(default=False)
    hold_because: Mapped[str] = mapped_column(default="")
    paused_until: Mapped[date | None]  # no reminders up to and with this day
    paused_because: Mapped[str] = mapped_column(default="")
    bankrupt: Mapped[bool] = mapped_column(default=False)
    represented: Mapped[str] = mapped_column(default="")
    ceased: Mapped[bool] = mapped_column(default=False)
    best_way: Mapped[ContactWay | None] = mapped_column(named_enum(ContactWay))
    zone: Mapped[str] = mapped_column(default="")  # where it differs from what the address says

    customer: Mapped[Customer] = relationship()


class OptOut(Base):
    """Somebody does not want to be reached one way; it counts until `ended_at`.

    With an `address` it binds that number or mailbox, whoever has it; without, the customer.
    """

    __tablename__ = "opt_outs"
    __table_args__ = (
        sa.CheckConstraint("address <> '' OR customer_id IS NOT NULL", name="binds_somebody"),
        sa.Index(
            "uq_opt_outs_live_address",
            "address",
            "way",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL AND address <> ''"),
            postgresql_where=sa.text("ended_at IS NULL AND address <> ''"),
        ),
        sa.Index(
            "uq_opt_outs_live_customer",
            "customer_id",
            "way",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL AND address = ''"),
            postgresql_where=sa.text("ended_at IS NULL AND address = ''"),
        ),
    )

    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    way: Mapped[ContactWay] = mapped_column(named_enum(ContactWay))
    address: Mapped[str] = mapped_column(default="")  # +15550100123, or an email in lower case
    since: Mapped[datetime]
    because: Mapped[str] = mapped_column(default="")  # e.g. answered STOP
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str] = mapped_column(default="")

    customer: Mapped[Customer | None] = relationship()


class ContactOutcome(StrEnum):
    SPOKE = "spoke"
    LEFT_MESSAGE = "left_message"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"  # reached, and does not want to talk or pay
    SENT = "sent"
    CAME_BACK = "came_back"
    ANSWERED = "answered"  # they wrote or called us


CONVERSATIONS = frozenset({ContactOutcome.SPOKE, ContactOutcome.REFUSED})


class ContactAttempt(Base):
    """One contact about money owed, either way: a call, email, text or letter; never changed.

    The guard rails count these rows. `message` is what the outbox sent, once.
    """

    __tablename__ = "contact_attempts"
    __table_args__ = (sa.Index(None, "customer_id", "at"),)

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"))
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("dunning_cases.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contacts.id"))
    way: Mapped[ContactWay] = mapped_column(named_enum(ContactWay))
    inbound: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
    address: Mapped[str] = mapped_column(default="")
    outcome: Mapped[ContactOutcome] = mapped_column(named_enum(ContactOutcome))
    note: Mapped[str] = mapped_column(default="")
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))  # None: by itself
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id"), unique=True)

    customer: Mapped[Customer] = relationship()
    contact: Mapped[Contact | None] = relationship()
    user: Mapped[User | None] = relationship()
    message: Mapped[Message | None] = relationship()

    @property
    def is_conversation(self) -> bool:
        """Whether somebody was spoken to, so that they are left alone for some days."""
        return self.way is ContactWay.CALL and (self.inbound or self.outcome in CONVERSATIONS)


class PromiseState(StrEnum):
    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"


PROMISE = Lifecycle[PromiseState](
    "this promise",
    {
        "keep": (frozenset({PromiseState.OPEN}), PromiseState.KEPT),
        "break": (frozenset({PromiseState.OPEN}), PromiseState.BROKEN),
        "withdraw": (frozenset({PromiseState.OPEN}), PromiseState.WITHDRAWN),
        # the payment that kept it came back
        "reopen": (frozenset({PromiseState.KEPT}), PromiseState.OPEN),
    },
)


class PromiseToPay(Versioned, Base):
    """A customer said: this much by that day. Kept or broken is found by itself.

    Money received from `made_on` to `promised_on` and the days of grace counts, each cent for
    one promise only; `paid` is how much of it that was when it was decided.
    """

    __tablename__ = "promises_to_pay"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("promised_on >= made_on", name="promised_later"),
        sa.CheckConstraint("(state = 'open') = (decided_on IS NULL)", name="decided_is_dated"),
        sa.Index(None, "customer_id", "state", "promised_on"),
    )

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"))
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("dunning_cases.id"))
    amount: Mapped[Money]
    made_on: Mapped[date]
    promised_on: Mapped[date]
    state: Mapped[PromiseState] = mapped_column(
        named_enum(PromiseState), default=PromiseState.OPEN, index=True
    )
    made_by: Mapped[str] = mapped_column(default="")  # who promised
    taken_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    note: Mapped[str] = mapped_column(default="")
    paid: Mapped[Money | None]
    decided_on: Mapped[date | None]

    customer: Mapped[Customer] = relationship()
    taken_by: Mapped[User | None] = relationship()


class InboundText(Base):
    """A text message somebody sent us, kept once by what the gateway calls it."""

    __tablename__ = "inbound_texts"

    gateway_ref: Mapped[str] = mapped_column(unique=True)
    sender: Mapped[str] = mapped_column(index=True)
    words: Mapped[str]
    meaning: Mapped[str] = mapped_column(default="")  # stop, start, help, or nothing
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    received_at: Mapped[datetime]

    customer: Mapped[Customer | None] = relationship()
