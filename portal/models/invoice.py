"""Invoices with their lines and taxes, on six independent status axes."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, Rate, UnitPrice
from portal.models.batch import Batch
from portal.models.company import BusinessUnit
from portal.models.customer import Customer, Location
from portal.models.job import Job
from portal.models.ledger import Account
from portal.models.pricebook import ItemKind, PriceBookItem, TaxClass
from portal.models.tax import TaxBase, TaxZone
from portal.models.term import PaymentTerm
from portal.models.user import User

A = TypeVar("A", Money, Quantity)


class InvoiceKind(StrEnum):
    """Source: servicetitan-rules §15; memberships and projects bring their own later."""

    JOB = "job"
    MANUAL = "manual"
    POINT_OF_SALE = "point_of_sale"
    ADJUSTMENT = "adjustment"
    CREDIT_NOTE = "credit_note"
    REFUND = "refund"
    WRITE_OFF = "write_off"
    FINANCING = "financing"
    INTEREST = "interest"
    AR_IMPORT = "ar_import"


# Kinds that always take off what is owed. Stored negative, printed positive (decision 9).
CREDITING = frozenset({InvoiceKind.CREDIT_NOTE, InvoiceKind.REFUND, InvoiceKind.WRITE_OFF})


class InvoiceState(StrEnum):
    """The export axis, and cancelled for a Pending invoice whose job was cancelled."""

    PENDING = "pending"
    POSTED = "posted"
    EXPORTED = "exported"
    CANCELLED = "cancelled"


class ReviewState(StrEnum):
    NEEDS_REVIEW = "needs_review"
    ON_HOLD = "on_hold"
    REVIEWED = "reviewed"
    PENDING_APPROVAL = "pending_approval"
    REJECTED = "rejected"


class SyncState(StrEnum):
    """What became of edits made after the export (servicetitan-rules §6)."""

    NOT_APPLICABLE = "not_applicable"
    SYNCED = "synced"
    BYPASSED = "bypassed"
    ACTION_REQUIRED = "action_required"


class SentState(StrEnum):
    NOT_SENT = "not_sent"
    SENT = "sent"
    OPENED = "opened"


class PaidState(StrEnum):
    """Derived from total and balance, never stored."""

    UNPAID = "unpaid"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    PARTLY_CREDITED = "partly_credited"  # only corrections lowered what is owed
    CREDITED = "credited"  # it took off and became credit, or corrections took all of it off
    WRITTEN_OFF = "written_off"  # nothing is owed, since the rest was given up
    NO_CHARGE = "no_charge"


class SentAxis(StrEnum):
    """Derived: what was sent, unless number or total are others since."""

    NOT_SENT = "not_sent"
    SENT = "sent"
    OPENED = "opened"
    CHANGED_SINCE_SENT = "changed_since_sent"


INVOICE = Lifecycle[InvoiceState](
    "this invoice",
    {
        "edit": (frozenset({InvoiceState.PENDING}), InvoiceState.PENDING),
        "post": (frozenset({InvoiceState.PENDING}), InvoiceState.POSTED),
        "cancel": (frozenset({InvoiceState.PENDING}), InvoiceState.CANCELLED),
        "unpost": (frozenset({InvoiceState.POSTED}), InvoiceState.PENDING),
        "export": (frozenset({InvoiceState.POSTED}), InvoiceState.EXPORTED),
    },
)

_UNDECIDED = frozenset({ReviewState.NEEDS_REVIEW, ReviewState.ON_HOLD, ReviewState.REJECTED})

# What is on hold, waits for an approver or was rejected is not posted (decisions/0018).
REVIEW = Lifecycle[ReviewState](
    "this invoice",
    {
        "review": (_UNDECIDED, ReviewState.REVIEWED),
        "hold": (frozenset(ReviewState) - {ReviewState.ON_HOLD}, ReviewState.ON_HOLD),
        "reopen": (
            frozenset(ReviewState) - {ReviewState.NEEDS_REVIEW},
            ReviewState.NEEDS_REVIEW,
        ),
        "ask": (_UNDECIDED | {ReviewState.REVIEWED}, ReviewState.PENDING_APPROVAL),
        "approve": (frozenset({ReviewState.PENDING_APPROVAL}), ReviewState.REVIEWED),
        "reject": (frozenset({ReviewState.PENDING_APPROVAL}), ReviewState.REJECTED),
    },
)

# Written out, not bound: the engines use a partial index only for its very words.
HAS_BALANCE = sa.text("invoices.balance <> 0")
HAS_PURCHASE_ORDER = sa.text("invoices.purchase_order <> ''")
IS_PENDING = sa.text("invoices.state = 'pending'")
# The same question as Invoice.changed_since_sent; few rows, so that an index of them is small.
CHANGED_SINCE_SENT = sa.text(
    "sent_state <> 'not_sent' AND (sent_total <> total OR (sent_number <> reference_number "
    "AND sent_number <> coalesce(document_number, '')))"
)

ON_THE_BOOKS = (InvoiceState.POSTED, InvoiceState.EXPORTED)
# For queries that should be driven by a narrower index than the one on state.
OFF_THE_BOOKS = (InvoiceState.PENDING, InvoiceState.CANCELLED)


def _found_by(column: str) -> sa.Index:
    """An index of the few rows where the column says something."""
    filled = sa.text(f"{column} IS NOT NULL")
    return sa.Index(f"ix_invoices_{column}", column, sqlite_where=filled, postgresql_where=filled)


class InvoiceType(Versioned, Base):
    """A label the office invents for its invoices, e.g. Warranty; no rule hangs on it."""

    __tablename__ = "invoice_types"

    name: Mapped[str] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(default=True)


class Invoice(Versioned, Base):
    """What a customer owes for one piece of work.

    `balance` = total − applications; services keep it with compare-and-set, and verify-books
    recomputes it. `settled_on` is the date the balance reached zero, `last_applied_on` the
    newest day money was applied or taken back, so that a look at an earlier day finds the few
    invoices that moved since. Once posted, the words that are printed are copies of their own
    (`bill_to`, `term_name` …) and never change.

    A document with a negative total (a credit note, a negative adjustment) turns into credit of
    the customer when posted: its balance becomes zero and a `Payment` with its id holds the
    credit. `approved_total` is the largest total an approver agreed to.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        sa.UniqueConstraint("job_id"),
        sa.CheckConstraint("total = subtotal + tax_total", name="total_adds_up"),
        sa.CheckConstraint(
            "(total >= 0 AND balance BETWEEN 0 AND total) OR (total < 0 AND balance <= 0)",
            name="balance_within_total",
        ),
        sa.CheckConstraint(
            "state NOT IN ('posted', 'exported') "
            "OR (document_number IS NOT NULL AND invoice_date IS NOT NULL)",
            name="posted_is_numbered",
        ),
        sa.Index(  # covers aging: it never touches the wide rows
            "ix_invoices_open",
            "customer_id",
            "due_date",
            "balance",
            "state",
            "invoice_date",
            "business_unit_id",
            sqlite_where=sa.text("balance <> 0"),
            postgresql_where=sa.text("balance <> 0"),
        ),
        sa.Index(  # covers what waits; its own condition counts as a column read
            "ix_invoices_pending",
            "review_state",
            "invoice_date",
            "total",
            "sent_state",
            "balance",
            "batch_id",
            "job_id",
            "review_assignee_id",
            "state",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        ),
        sa.Index(
            "ix_invoices_due",
            "due_date",
            "state",
            "balance",
            "total",
            sqlite_where=sa.text("balance <> 0"),
            postgresql_where=sa.text("balance <> 0"),
        ),
        sa.Index(
            "ix_invoices_ordered",
            "purchase_order",
            sqlite_where=sa.text("purchase_order <> ''"),
            postgresql_where=sa.text("purchase_order <> ''"),
        ),
        sa.Index(  # covers aging as of an earlier day
            "ix_invoices_moved",
            "last_applied_on",
            "invoice_date",
            "state",
            "customer_id",
            "due_date",
            "business_unit_id",
            "balance",
        ),
        sa.Index(  # covers what a batch adds up to
            "ix_invoices_batched",
            "batch_id",
            "id",
            "kind",
            "total",
            "balance",
            "state",
            sqlite_where=sa.text("batch_id IS NOT NULL"),
            postgresql_where=sa.text("batch_id IS NOT NULL"),
        ),
        sa.Index(  # covers the sums of a list, whichever status axis narrows it
            "ix_invoices_listed",
            "invoice_date",
            "id",
            "state",
            "total",
            "balance",
            "review_state",
            "sent_state",
            "sync_state",
            "kind",
            "batch_id",
            "due_date",
            "business_unit_id",
            "type_id",
        ),
        sa.Index("ix_invoices_by_total", "total", "id"),
        sa.Index(
            "ix_invoices_changed_since_sent",
            "id",
            sqlite_where=CHANGED_SINCE_SENT,
            postgresql_where=CHANGED_SINCE_SENT,
        ),
        # Nearly every invoice corrects nothing. Statistics over those would tell the planner
        # that the index finds half the table.
        _found_by("adjusts_id"),
        _found_by("transfers_id"),
    )

    kind: Mapped[InvoiceKind] = mapped_column(named_enum(InvoiceKind))
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    location_id: Mapped[int | None] = mapped_column(sa.ForeignKey("locations.id"))
    job_id: Mapped[int | None] = mapped_column(sa.ForeignKey("jobs.id"))
    business_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("business_units.id"))
    term_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payment_terms.id"))
    tax_zone_id: Mapped[int | None] = mapped_column(sa.ForeignKey("tax_zones.id"))
    adjusts_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invoices.id"))
    transfers_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invoices.id"))
    type_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invoice_types.id"))
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("batches.id"))

    reference_number: Mapped[str] = mapped_column(unique=True)
    document_number: Mapped[str | None] = mapped_column(unique=True)
    external_key: Mapped[str | None] = mapped_column(unique=True)
    invoice_date: Mapped[date | None]
    due_date: Mapped[date | None] = mapped_column(index=True)
    summary: Mapped[str] = mapped_column(default="")
    purchase_order: Mapped[str] = mapped_column(default="")

    state: Mapped[InvoiceState] = mapped_column(
        named_enum(InvoiceState), default=InvoiceState.PENDING
    )
    review_state: Mapped[ReviewState] = mapped_column(
        named_enum(ReviewState), default=ReviewState.NEEDS_REVIEW, index=True
    )
    review_assignee_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    review_note: Mapped[str] = mapped_column(default="")
    approval_reason: Mapped[str] = mapped_column(default="")  # the rule that asked for it
    approved_total: Mapped[Money | None]
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    approved_at: Mapped[datetime | None]
    sync_state: Mapped[SyncState] = mapped_column(
        named_enum(SyncState), default=SyncState.NOT_APPLICABLE
    )
    bypass: Mapped[bool] = mapped_column(default=False)  # nothing to tell the accounting system
    reason: Mapped[str] = mapped_column(default="")  # why a correction was made
    sent_state: Mapped[SentState] = mapped_column(named_enum(SentState), default=SentState.NOT_SENT)
    sent_at: Mapped[datetime | None]
    sent_total: Mapped[Money | None]  # as it stood on what the customer got last
    sent_number: Mapped[str | None]
    sent_said_at: Mapped[datetime | None]  # when that was written down; older words do not count
    opened_at: Mapped[datetime | None]
    posted_at: Mapped[datetime | None]
    posted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    subtotal: Mapped[Money] = mapped_column(default=ZERO)
    tax_total: Mapped[Money] = mapped_column(default=ZERO)
    total: Mapped[Money] = mapped_column(default=ZERO)
    balance: Mapped[Money] = mapped_column(default=ZERO)
    settled_on: Mapped[date | None]
    last_applied_on: Mapped[date | None]

    bill_to: Mapped[str] = mapped_column(default="")
    service_at: Mapped[str] = mapped_column(default="")
    term_name: Mapped[str] = mapped_column(default="")

    customer: Mapped[Customer] = relationship()
    location: Mapped[Location | None] = relationship()
    job: Mapped[Job | None] = relationship()
    business_unit: Mapped[BusinessUnit | None] = relationship()
    term: Mapped[PaymentTerm | None] = relationship()
    tax_zone: Mapped[TaxZone | None] = relationship()
    type: Mapped[InvoiceType | None] = relationship()
    batch: Mapped[Batch | None] = relationship()
    review_assignee: Mapped[User | None] = relationship(foreign_keys=[review_assignee_id])
    adjusts: Mapped[Invoice | None] = relationship(
        foreign_keys=[adjusts_id], remote_side="Invoice.id"
    )
    transfers: Mapped[Invoice | None] = relationship(
        foreign_keys=[transfers_id], remote_side="Invoice.id"
    )
    lines: Mapped[list[InvoiceLine]] = relationship(
        back_populates="invoice",
        cascade="all, delete-orphan",
        order_by="InvoiceLine.position",
    )
    taxes: Mapped[list[InvoiceTax]] = relationship(
        back_populates="invoice",
        cascade="all, delete-orphan",
        order_by="InvoiceTax.position",
    )

    if TYPE_CHECKING:  # computed from the applications, see models/payment.py
        credited: Money | None
        written_off: Money | None

    @property
    def number(self) -> str:
        """The number people quote: the document number once it exists."""
        return self.document_number or self.reference_number

    @property
    def applied(self) -> Money:
        return self.total - self.balance

    @property
    def sign(self) -> int:
        """−1 for kinds that are stored negative and shown positive, else 1 (decision 9)."""
        return -1 if self.kind in CREDITING else 1

    def shown(self, amount: A) -> A:
        """An amount or quantity as people read and type it; the same way back."""
        return -amount if self.sign < 0 else amount

    @property
    def paid_state(self) -> PaidState:
        if self.total == ZERO or self.state is InvoiceState.CANCELLED:
            return PaidState.NO_CHARGE
        if self.total < ZERO:
            return PaidState.CREDITED if self.is_on_the_books else PaidState.NO_CHARGE
        if self.balance == self.total:
            return PaidState.UNPAID
        credited, written_off = self.credited or ZERO, self.written_off or ZERO
        if self.balance == ZERO and written_off:
            return PaidState.WRITTEN_OFF
        if self.applied == credited + written_off:
            return PaidState.PARTLY_CREDITED if self.balance else PaidState.CREDITED
        return PaidState.PARTLY_PAID if self.balance else PaidState.PAID

    @property
    def sent_axis(self) -> SentAxis:
        return SentAxis.CHANGED_SINCE_SENT if self.changed_since_sent else SentAxis(self.sent_state)

    @property
    def changed_since_sent(self) -> bool:
        """Whether what the customer has in hand says another total or number."""
        if self.sent_state is SentState.NOT_SENT or self.sent_total is None:
            return False
        return not self.still_says(self.sent_number, self.sent_total)

    def still_says(self, number: str | None, total: Money | None) -> bool:
        """Whether what a letter says of it holds: its total, and one of its numbers."""
        return total == self.total and number in (self.reference_number, self.document_number)

    def note_sent(self, at: datetime) -> None:
        """It left the house as it stands; what changed since the last time was not opened yet."""
        if self.sent_state is SentState.NOT_SENT or self.changed_since_sent:
            self.sent_state, self.sent_at, self.opened_at = SentState.SENT, at, None
        self.sent_total, self.sent_number, self.sent_said_at = self.total, self.number, at

    @property
    def is_on_the_books(self) -> bool:
        return self.state in ON_THE_BOOKS

    @property
    def is_editable(self) -> bool:
        return INVOICE.allows(self.state, "edit")

    @property
    def is_payable(self) -> bool:
        """May a customer pay it online: sent or final, and something is owed (decision 4)."""
        visible = self.is_on_the_books or self.sent_state is not SentState.NOT_SENT
        return visible and self.state is not InvoiceState.CANCELLED and self.balance > ZERO

    @property
    def next_verbs(self) -> list[str]:
        return INVOICE.verbs(self.state)

    def is_overdue(self, on: date) -> bool:
        """Overdue starts the day after the due date, for final invoices with a balance."""
        return (
            self.is_on_the_books
            and self.balance > ZERO
            and self.due_date is not None
            and self.due_date < on
        )

    def days_past_due(self, on: date) -> int:
        return max((on - self.due_date).days, 0) if self.due_date else 0


class InvoiceLine(Base):
    """One line. A discount has a negative unit price; `total` is quantity × price, rounded."""

    __tablename__ = "invoice_lines"

    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"), index=True)
    position: Mapped[int]
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("price_book_items.id"), index=True)
    job_log_id: Mapped[int | None] = mapped_column(sa.ForeignKey("job_logs.id"))
    technician_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    kind: Mapped[ItemKind] = mapped_column(named_enum(ItemKind), default=ItemKind.SERVICE)
    code: Mapped[str] = mapped_column(default="")
    description: Mapped[str]
    unit: Mapped[str] = mapped_column(default="each")
    quantity: Mapped[Quantity]
    unit_price: Mapped[UnitPrice]
    unit_cost: Mapped[UnitPrice] = mapped_column(default=UnitPrice(0))
    total: Mapped[Money]
    taxable: Mapped[bool] = mapped_column(default=True)
    tax_class: Mapped[TaxClass] = mapped_column(named_enum(TaxClass), default=TaxClass.OTHER)
    income_account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))

    invoice: Mapped[Invoice] = relationship(back_populates="lines")
    item: Mapped[PriceBookItem | None] = relationship()
    technician: Mapped[User | None] = relationship()
    income_account: Mapped[Account | None] = relationship()


class InvoiceTax(Base):
    """One authority's tax on one invoice: base × rate, rounded half up per invoice."""

    __tablename__ = "invoice_taxes"

    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"), index=True)
    position: Mapped[int]
    authority: Mapped[str]
    base: Mapped[TaxBase] = mapped_column(named_enum(TaxBase))
    rate: Mapped[Rate]
    taxable_amount: Mapped[Money]
    amount: Mapped[Money]

    invoice: Mapped[Invoice] = relationship(back_populates="taxes")
