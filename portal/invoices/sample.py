"""A made-up invoice to look at a letterhead with; nothing of it is ever saved."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from flask_babel import gettext as _

from portal.company import today
from portal.documents import letterhead, qr_code
from portal.invoices.paper import InvoicePaper, PaperGroup, PaperLine, PaperTax
from portal.invoices.paper_kinds import PaperWords
from portal.kernel.money import Money
from portal.kernel.numbers import Rate
from portal.models import Company

ADDRESS = "https://example.org/pay/sample"


def sample_paper(row: Company) -> InvoicePaper:
    """An invoice as it would look with this company's words; stamped as a sample."""
    lines = [
        PaperLine(_("Diagnose no-heat call"), "HV-110", Decimal(1), "", Decimal(129),
                  Money.of(129)),
        PaperLine(_("Replace the igniter and test the flame"), "HV-214", Decimal("1.5"),
                  _("hours"), Decimal(145), Money.of("217.50")),
    ]  # fmt: skip
    part = PaperLine(_("Hot-surface igniter"), "MT-3007", Decimal(1), "", Decimal("86.40"),
                     Money.of("86.40"))  # fmt: skip
    subtotal = Money.total(line.total for line in (*lines, part))
    rate = Rate.percent("6.875")
    total = subtotal + rate.of_money(subtotal)
    return InvoicePaper(
        head=letterhead(row),
        words=PaperWords(_("Invoice"), "", _("Amount due"), total, "", _("Amount due"), ()),
        number="INV-0000-00001",
        reference="J-10482",
        is_for_job=True,
        issued_on=today(),
        due_on=today() + timedelta(days=30),
        terms=_("Net 30"),
        purchase_order="",
        bill_to=["Ada Lovelace", "12 Analytical Way", "Springfield, IL 62701"],
        service_at=["77 Shore Road", "Springfield, IL 62704"],
        summary=_("The furnace did not light. We replaced a cracked igniter."),
        groups=[PaperGroup(_("Service and labor"), lines), PaperGroup(_("Materials"), [part])],
        subtotal=subtotal,
        taxes=[PaperTax("Illinois", rate, rate.of_money(subtotal))],
        total=total,
        payments=(),
        balance=total,
        family=(),
        overdue=False,
        pay_url=ADDRESS,
        qr=qr_code(ADDRESS),
        stamp=_("SAMPLE"),
    )
