"""Moving a draft out of a closed month, so that it can be posted."""

from __future__ import annotations

from portal.invoices.editing import InvoiceFacts, change_invoice
from portal.kernel.errors import DomainError
from portal.ledger import next_open_day
from portal.models import Invoice


def date_on_open_day(invoice: Invoice, *, version: int) -> None:
    """Give a draft the next open day after its own; tax and due date follow the new day.

    Nothing changes when its month is open. Raises what `change_invoice` raises, or DomainError
    for an invoice without a date or term.
    """
    if invoice.invoice_date is None or invoice.term is None:
        raise DomainError("Give the invoice a date and a payment term first.")
    facts = InvoiceFacts(
        reference_number=invoice.reference_number,
        invoice_date=next_open_day(invoice.invoice_date),
        term=invoice.term,
        location=invoice.location,
        tax_zone=invoice.tax_zone,
        business_unit_id=invoice.business_unit_id,
        summary=invoice.summary,
        purchase_order=invoice.purchase_order,
        type=invoice.type,
    )
    change_invoice(invoice, facts, version=version)
