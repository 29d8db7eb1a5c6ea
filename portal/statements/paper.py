"""The words of a statement: what the template prints, nothing computed there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from flask_babel import gettext as _

from portal.documents import Letterhead, letterhead, qr_code
from portal.kernel.money import ZERO, Money
from portal.models import Invoice, InvoiceKind, StatementKind
from portal.receivables import AccountEvent, AccountLine, OpenItem, pending_items
from portal.statements.computing import Account

MOST_PENDING = 20  # drafts in the customer's hands that are listed apart


@dataclass(frozen=True)
class PaperRow:
    """One line of the table. `late` are the days past due; `note` stands under the words."""

    on: date | None
    words: str
    note: str = ""
    due_on: date | None = None
    late: int = 0
    charge: Money | None = None
    credit: Money | None = None
    balance: Money = ZERO


@dataclass(frozen=True)
class PaperBucket:
    """One column of the aging footer."""

    title: str
    amount: Money


@dataclass(frozen=True)
class StatementPaper:
    """Everything the statement template prints."""

    head: Letterhead
    is_forward: bool
    starts_on: date | None
    ends_on: date
    bill_to: Sequence[str]
    customer_number: int
    due: Money
    overdue: Money
    rows: Sequence[PaperRow]
    buckets: Sequence[PaperBucket]
    opening: Money
    charges: Money
    credits: Money
    closing: Money
    against: Sequence[PaperBucket]
    pending: Sequence[PaperRow]
    pay_url: str = ""
    qr: str = field(default="", repr=False)

    @property
    def is_credit(self) -> bool:
        return self.due < ZERO


def statement_paper(account: Account, *, pay_url: str = "") -> StatementPaper:
    """In the language that is on; `pay_url` is the guest link, printed when something is due."""
    customer, standing, wanted = account.customer, account.standing, account.wanted
    forward = wanted.kind is StatementKind.BALANCE_FORWARD
    url = pay_url if standing.due > ZERO else ""
    return StatementPaper(
        head=letterhead(),
        is_forward=forward,
        starts_on=wanted.starts_on,
        ends_on=wanted.ends_on,
        bill_to=[customer.name, *customer.address_lines],
        customer_number=customer.id,
        due=standing.due,
        overdue=standing.aging.total - standing.aging.current - standing.aging.no_term,
        rows=_forward_rows(account) if forward else _open_rows(account),
        buckets=_buckets(account),
        opening=account.opening,
        charges=account.charges,
        credits=account.credits,
        closing=account.closing,
        against=_against(account),
        pending=_pending(account),
        pay_url=url,
        qr=qr_code(url) if url else "",
    )


def _open_rows(account: Account) -> list[PaperRow]:
    on = account.wanted.ends_on
    return [_open_row(one, on) for one in account.standing.items]


def _open_row(one: OpenItem, on: date) -> PaperRow:
    return PaperRow(
        on=one.invoice_date,
        words=str(_("Invoice %(n)s", n=one.number)),
        note=one.place,
        due_on=one.due_date,
        late=one.days_late(on),
        charge=one.total,
        credit=one.total - one.open,
        balance=one.open,
    )


def _forward_rows(account: Account) -> list[PaperRow]:
    activity, start = account.activity, account.wanted.starts_on
    if activity is None or start is None:
        return []
    opening = PaperRow(
        on=start - timedelta(days=1), words=str(_("Balance forward")), balance=activity.opening
    )
    return [opening, *(_event_row(one) for one in activity.lines)]


def _event_row(line: AccountLine) -> PaperRow:
    rising = line.amount >= ZERO
    return PaperRow(
        on=line.on,
        words=_what(line),
        charge=line.amount if rising else None,
        credit=None if rising else -line.amount,
        balance=line.balance,
    )


def _what(line: AccountLine) -> str:
    match line.event:
        case AccountEvent.PAYMENT:
            return str(_("Payment, thank you (%(how)s)", how=line.words.strip()))
        case AccountEvent.REFUND:
            return str(_("Refund to you (%(how)s)", how=line.words.strip()))
        case AccountEvent.RETURN:
            return str(_("Payment that came back (%(how)s)", how=line.words.strip()))
        case AccountEvent.VOIDED_REFUND:
            return str(_("Refund that was not made (%(how)s)", how=line.words.strip()))
        case AccountEvent.DOCUMENT:
            return _document(line)


def _document(line: AccountLine) -> str:
    """What only the house keeps (a write-off, half of a financing) has no number for others."""
    number = line.words
    match line.kind:
        case InvoiceKind.WRITE_OFF:
            return str(_("Balance adjustment"))
        case InvoiceKind.FINANCING if line.amount < ZERO:
            return str(_("Taken over by your financing"))
        case InvoiceKind.CREDIT_NOTE:
            return str(_("Credit note %(n)s", n=number))
        case InvoiceKind.REFUND:
            return str(_("Refund document %(n)s", n=number))
        case InvoiceKind.ADJUSTMENT:
            return str(_("Adjustment %(n)s", n=number))
        case InvoiceKind.INTEREST:
            return str(_("Interest %(n)s", n=number))
        case _:
            return str(_("Invoice %(n)s", n=number))


def _buckets(account: Account) -> list[PaperBucket]:
    aging = account.standing.aging
    buckets = [
        PaperBucket(str(_("Not yet due")), aging.current),
        PaperBucket(str(_("1–30 days")), aging.days_1_30),
        PaperBucket(str(_("31–60 days")), aging.days_31_60),
        PaperBucket(str(_("61–90 days")), aging.days_61_90),
        PaperBucket(str(_("Over 90 days")), aging.days_over_90),
    ]
    if aging.no_term:
        buckets.append(PaperBucket(str(_("No due date")), aging.no_term))
    if account.standing.credit:
        buckets.append(PaperBucket(str(_("Your credit")), -account.standing.credit))
    return buckets


def _against(account: Account) -> list[PaperBucket]:
    """What the balance holds but the amount due does not."""
    standing = account.standing
    rows = [
        PaperBucket(str(_("Paid on work not yet invoiced")), standing.deposits),
        PaperBucket(str(_("Held by your bank in a dispute")), standing.held),
    ]
    return [row for row in rows if row.amount]


def _pending(account: Account) -> list[PaperRow]:
    """Invoices in the customer's hands, or paid on, that are not final: no part of the balance."""
    found = pending_items(account.customer.id, on=account.wanted.ends_on)
    return [_pending_row(one) for one in found[:MOST_PENDING]]


def _pending_row(invoice: Invoice) -> PaperRow:
    return PaperRow(
        on=invoice.invoice_date,
        words=str(_("Invoice %(n)s", n=invoice.number)),
        due_on=invoice.due_date,
        charge=invoice.total,
        credit=invoice.total - invoice.balance,
        balance=invoice.balance,
    )
