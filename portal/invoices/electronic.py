"""An invoice in the words of EN 16931: parties, tax groups, discounts as allowances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from flask_babel import gettext as _

from portal.company import company
from portal.customers import missing_for_electronic
from portal.documents import (
    Allowance,
    ElectronicData,
    ElectronicDocument,
    ElectronicLine,
    Party,
    electronic_xml,
)
from portal.invoices.electronic_taxes import Group, group_of, shares_of_discounts, tax_shares
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import CREDITING, Company, Invoice, InvoiceKind, InvoiceLine

# A write-off and a financing transfer are no invoices, so there is nothing to embed.
WITHOUT = frozenset({InvoiceKind.WRITE_OFF, InvoiceKind.FINANCING})


class ElectronicDataMissing(DomainError):
    """An electronic invoice must say something that nobody has told us; names the field."""


def electronic_data(invoice: Invoice) -> ElectronicData | None:
    """The Factur-X data of a final invoice whose customer wants it, else None.

    Raises ElectronicDataMissing rather than leave something out.
    """
    if not _is_electronic(invoice):
        return None
    document = electronic_document(invoice)
    try:
        return electronic_xml(document)
    except ValueError as error:
        raise ElectronicDataMissing(
            f"The electronic data of {invoice.number} does not fit EN 16931: {error}"
        ) from error


def electronic_problem(invoice: Invoice) -> str | None:
    """Why the electronic invoice its customer wants can never be made, in words, or None."""
    try:
        if _is_electronic(invoice):
            _refuse_missing(invoice)
    except ElectronicDataMissing as missing:
        return str(missing)
    return None


def electronic_document(invoice: Invoice) -> ElectronicDocument:
    """The invoice as EN 16931 sees it; amounts as on paper. Raises ElectronicDataMissing."""
    seller = company()
    _refuse_missing(invoice)
    groups = {line.id: group_of(invoice, line, seller) for line in invoice.lines}
    credits_ = _is_credit(invoice)
    sign = -1 if credits_ else 1
    assert invoice.invoice_date is not None  # it is on the books
    return ElectronicDocument(
        type_code="381" if credits_ else "380",
        number=invoice.number,
        issued_on=invoice.invoice_date,
        delivered_on=_delivered_on(invoice),
        due_on=None if credits_ else invoice.due_date,
        terms=_terms(invoice, credits_),
        currency=seller.currency,
        order=invoice.purchase_order,
        preceding=_preceding(invoice),
        seller=_seller(seller, groups.values()),
        buyer=_buyer(invoice),
        lines=[
            _line(line, groups[line.id], sign)
            for line in invoice.lines
            if line.total.cents * sign >= 0
        ],
        allowances=_allowances(invoice, groups, sign),
        taxes=tax_shares(invoice, groups, sign),
        total=Money(invoice.total.cents * sign),
        paid=ZERO if credits_ else invoice.total - invoice.balance,
        iban=seller.iban,
        bic=seller.bic,
        note=invoice.summary,
    )


def _is_electronic(invoice: Invoice) -> bool:
    wanted = invoice.customer.electronic_invoice and invoice.is_on_the_books
    return wanted and invoice.kind not in WITHOUT


def _refuse_missing(invoice: Invoice) -> None:
    """The first thing that is missing, in one sentence."""
    missing = missing_for_electronic(invoice.customer, taxed=bool(invoice.tax_total))
    if missing:
        raise ElectronicDataMissing(
            f"The electronic invoice {invoice.number} cannot be made: " + " ".join(missing.values())
        )


def _is_credit(invoice: Invoice) -> bool:
    return invoice.kind in CREDITING or invoice.total < ZERO


def _delivered_on(invoice: Invoice) -> date:
    """The day the work was done; without a job, the invoice's."""
    assert invoice.invoice_date is not None  # it is on the books
    done = invoice.job.completed_on if invoice.job else None
    return done or invoice.invoice_date


def _terms(invoice: Invoice, credits_: bool) -> str:
    if credits_:
        return str(_("Credited to your account. No payment is due."))
    return invoice.term_name or str(_("Due upon receipt"))


def _preceding(invoice: Invoice) -> tuple[str, date] | None:
    original = invoice.adjusts
    if original is None or original.invoice_date is None:
        return None
    return original.number, original.invoice_date


def _seller(row: Company, groups: Iterable[Group]) -> Party:
    """Outside the scope of tax, no VAT ID may be named (BR-O-02)."""
    named = all(group.category != "O" for group in groups)
    return Party(
        name=row.name,
        lines=[line for line in (row.street, row.unit) if line],
        city=row.city,
        postal_code=row.postal_code,
        region=row.region,
        country=row.country,
        vat_id=row.vat_id if named else "",
        registration=row.registration_number,
        email=row.email,
        phone=row.phone,
    )


def _buyer(invoice: Invoice) -> Party:
    """As printed; in parts where the customer's address is still the one that was printed."""
    customer = invoice.customer
    printed = invoice.bill_to.splitlines()[1:]
    same = not printed or printed == customer.address_lines
    return Party(
        name=(invoice.bill_to.splitlines() or [customer.name])[0],
        lines=[one for one in (customer.street, customer.unit) if one] if same else printed,
        city=customer.city if same else "",
        postal_code=customer.postal_code if same else "",
        region=customer.region if same else "",
        country=customer.country,
        vat_id=customer.vat_id if company().vat_id else "",
    )


def _line(line: InvoiceLine, group: Group, sign: int) -> ElectronicLine:
    """A price is never negative (BR-27): the quantity carries the sign."""
    quantity = line.quantity.value * sign
    price = line.unit_price.value
    return ElectronicLine(
        name=line.description or line.code or _("Item"),
        code=line.code,
        quantity=-quantity if price < 0 else quantity,
        unit=line.unit,
        price=abs(price),
        total=Money(line.total.cents * sign),
        category=group.category,
        rate=group.rate,
    )


def _allowances(invoice: Invoice, groups: Mapping[int, Group], sign: int) -> list[Allowance]:
    """Whatever lowers the document: discounts by tax group, other negative lines whole."""
    rows = []
    for line, shares in shares_of_discounts(invoice, groups):
        for group, amount in shares.items():
            lowered = Money(-amount.cents * sign)
            if lowered > ZERO:
                reason = line.description or _("Discount")
                rows.append(Allowance(lowered, reason, group.category, group.rate))
    return rows
