"""Where the work was done and which business unit earned it: also on what is posted."""

from __future__ import annotations

from portal.audit import record_changes
from portal.db import bump, db
from portal.invoices.allowed_edits import Edit
from portal.invoices.editing import require_editable
from portal.invoices.wording import named
from portal.kernel.errors import InvalidFields
from portal.models import BusinessUnit, Invoice, Location


def place_invoice(
    invoice: Invoice, *, location: Location | None, business_unit: BusinessUnit | None, version: int
) -> None:
    """Change location and business unit for reports, Pending or Posted (servicetitan-rules §2.1).

    What was printed and the tax stay as they were: the zone is not taken from the new location.
    Raises PeriodClosed, InvalidTransition, Conflict (old version), or InvalidFields for another
    customer's location.
    """
    require_editable(invoice, Edit.LOCATION)
    bump(invoice, version)
    if location is not None and location.customer_id != invoice.customer_id:
        raise InvalidFields({"location_id": "That location belongs to another customer."})
    before = _words(invoice)
    invoice.location, invoice.business_unit = location, business_unit
    told = f"{named(invoice)} was placed anew."
    if record_changes(invoice, told, before, _words(invoice)):
        db.session.flush()


def _words(invoice: Invoice) -> dict[str, str | None]:
    unit = invoice.business_unit
    return {
        "location": invoice.location.one_line_address if invoice.location else None,
        "business unit": unit.name if unit else None,
    }
