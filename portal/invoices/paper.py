"""An invoice on paper: the words of the printed document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask_babel import gettext as _

from portal.company import today
from portal.documents import Letterhead, letterhead, qr_code
from portal.invoices.paper_history import PaperAmount, PaperPayment, what_happened
from portal.invoices.paper_kinds import PaperWords, family_of, words_of
from portal.invoices.pay_links import known_pay_link_url, pay_link_url
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models import Invoice, InvoiceKind, InvoiceLine, InvoiceState, ItemKind, PaidState


@dataclass(frozen=True)
class PaperLine:
    """One printed line."""

    description: str
    code: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    total: Money


@dataclass(frozen=True)
class PaperGroup:
    """Lines of one kind under a plain heading."""

    title: str
    lines: Sequence[PaperLine]


@dataclass(frozen=True)
class PaperTax:
    """One authority's tax."""

    authority: str
    rate: Rate
    amount: Money


@dataclass(frozen=True)
class InvoicePaper:
    """Everything the invoice template prints; nothing is computed in the template.

    Amounts are as on paper: a credit note's are positive (ARCHITECTURE, decision 9).
    """

    head: Letterhead
    words: PaperWords
    number: str
    reference: str
    is_for_job: bool
    issued_on: date | None
    due_on: date | None
    terms: str
    purchase_order: str
    bill_to: Sequence[str]
    service_at: Sequence[str]
    summary: str
    groups: Sequence[PaperGroup]
    subtotal: Money
    taxes: Sequence[PaperTax]
    total: Money
    payments: Sequence[PaperPayment]
    balance: Money
    family: Sequence[PaperAmount]
    overdue: bool
    pay_url: str
    qr: str
    stamp: str


def invoice_paper(invoice: Invoice, *, link: bool = True) -> InvoicePaper:
    """The words of an invoice; a posted one prints the copies made when it was posted.

    Without `link` it carries no guest pay link (and so writes nothing).
    """
    sign = invoice.sign
    payable = invoice.balance > ZERO and invoice.state is not InvoiceState.CANCELLED
    url = _printed_link(invoice) if payable and link else ""
    happened = what_happened(invoice)
    return InvoicePaper(
        head=letterhead(),
        words=words_of(invoice),
        number=invoice.number,
        reference=invoice.reference_number,
        is_for_job=invoice.job_id is not None,
        issued_on=invoice.invoice_date,
        due_on=invoice.due_date,
        terms=invoice.term_name or (invoice.term.name if invoice.term else ""),
        purchase_order=invoice.purchase_order,
        bill_to=bill_to_of(invoice),
        service_at=_service_at(invoice),
        summary=invoice.summary,
        groups=_groups(invoice),
        subtotal=_signed(invoice.subtotal, sign),
        taxes=[
            PaperTax(tax.authority, tax.rate, _signed(tax.amount, sign)) for tax in invoice.taxes
        ],
        total=_signed(invoice.total, sign),
        payments=happened.rows,
        balance=happened.left,
        family=family_of(invoice),
        overdue=invoice.is_overdue(today()),
        pay_url=url,
        qr=qr_code(url) if url else "",
        stamp=_stamp(invoice),
    )


def _printed_link(invoice: Invoice) -> str:
    """A draft shows its link once it was sent or handed out; looking at it makes none."""
    return pay_link_url(invoice) if invoice.is_on_the_books else known_pay_link_url(invoice)


def bill_to_of(invoice: Invoice) -> list[str]:
    """Name and address as on the envelope: the copy of a posted invoice, else today's."""
    if invoice.bill_to:
        return invoice.bill_to.splitlines()
    return [invoice.customer.name, *invoice.customer.address_lines]


def _service_at(invoice: Invoice) -> list[str]:
    if invoice.is_on_the_books:
        return invoice.service_at.splitlines()
    return invoice.location.address_lines if invoice.location else []


def _groups(invoice: Invoice) -> list[PaperGroup]:
    titles: list[tuple[str, set[ItemKind]]] = [
        (_("Service and labor"), {ItemKind.SERVICE}),
        (_("Materials"), {ItemKind.MATERIAL}),
        (_("Equipment"), {ItemKind.EQUIPMENT}),
        (_("Fees"), {ItemKind.FEE}),
        (_("Discounts"), {ItemKind.DISCOUNT}),
    ]
    taken_back = [line for line in invoice.lines if _takes_back(invoice, line)]
    plain = [line for line in invoice.lines if not _takes_back(invoice, line)]
    groups = [
        PaperGroup(title, [_line(line, invoice.sign) for line in plain if line.kind in kinds])
        for title, kinds in titles
    ]
    groups.append(PaperGroup(_("Adjustments"), [_line(line, invoice.sign) for line in taken_back]))
    return [group for group in groups if group.lines]


def _takes_back(invoice: Invoice, line: InvoiceLine) -> bool:
    """An adjustment's negative items stand together, whatever they are."""
    return invoice.kind is InvoiceKind.ADJUSTMENT and line.total < ZERO


def _line(line: InvoiceLine, sign: int) -> PaperLine:
    return PaperLine(
        description=line.description,
        code=line.code,
        quantity=line.quantity.value * sign,
        unit="" if line.unit == "each" else line.unit,
        unit_price=line.unit_price.value,
        total=_signed(line.total, sign),
    )


def _signed(amount: Money, sign: int) -> Money:
    return -amount if sign < 0 else amount


def _stamp(invoice: Invoice) -> str:
    if invoice.state is InvoiceState.CANCELLED:
        return str(_("CANCELLED"))
    if invoice.state is InvoiceState.PENDING:
        return str(_("DRAFT"))
    if invoice.paid_state is PaidState.PAID and invoice.total > ZERO:
        return str(_("PAID"))
    return ""
