"""Believable papers for the document tests and the PDF measurements; no database needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from portal.documents import Letterhead, qr_code
from portal.invoices.paper import InvoicePaper, PaperGroup, PaperLine, PaperTax
from portal.invoices.paper_history import PaperPayment
from portal.invoices.paper_kinds import PaperWords
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.payments.receipt import ReceiptLine, ReceiptPaper

ISSUED = date(2026, 11, 2)
PAY_URL = "https://pay.example.test/pay/" + "5f0c9a" * 10 + "7d3e"

HEAD = Letterhead(
    name="Northwind Heating & Air",
    address=("1180 Foundry Street", "Suite 4", "Duluth, MN 55802"),
    reach=("(218) 555-0144", "billing@northwind.example", "northwind.example"),
    remit_to=("Northwind Heating & Air", "PO Box 4410", "Duluth, MN 55802"),
    message="Thank you for letting us into your home. Repairs are guaranteed for one year.",
    legal=(),
    colour="#0b5c8a",
    text_colour="#1d2433",
    logo="",
    currency="USD",
    zone="America/Chicago",
)

WORK = [
    ("Service and labor", "Diagnose no-heat call", "HV-110", "1", "", "129.00"),
    ("Service and labor", "Replace the hot-surface igniter and test the flame", "HV-214", "1.5",
     "hours", "145.00"),
    ("Materials", "Hot-surface igniter, silicon nitride", "MT-3007", "1", "", "86.40"),
    ("Materials", "Filter 16 × 25 × 4, MERV 11", "MT-1164", "2", "", "38.75"),
    ("Fees", "Trip to your address", "FE-01", "1", "", "49.00"),
]  # fmt: skip


def line(description: str, code: str, quantity: str, unit: str, price: str) -> PaperLine:
    total = Money.of(Decimal(quantity) * Decimal(price))
    return PaperLine(description, code, Decimal(quantity), unit, Decimal(price), total)


def groups(count: int) -> list[PaperGroup]:
    """`count` lines of work, grouped as an invoice groups them."""
    rows = [WORK[i % len(WORK)] for i in range(count)]
    titles = list(dict.fromkeys(row[0] for row in rows))
    return [PaperGroup(title, [line(*row[1:]) for row in rows if row[0] == title])
            for title in titles]  # fmt: skip


def invoice_paper(*, lines: int = 5, paid: str = "0.00", **changes: Any) -> InvoicePaper:
    """An invoice with two tax authorities; keywords replace whole fields."""
    body = groups(lines)
    subtotal = Money.total(item.total for group in body for item in group.lines)
    rates = [("Minnesota", Rate.percent("6.875")), ("City of Duluth", Rate.percent("1.5"))]
    taxes = [PaperTax(name, rate, rate.of_money(subtotal)) for name, rate in rates]
    total = subtotal + Money.total(tax.amount for tax in taxes)
    received = Money.of(paid)
    payments = [PaperPayment(ISSUED + timedelta(days=3), "Check", received)] if received else []
    paper = InvoicePaper(
        head=HEAD,
        words=PaperWords("Invoice", "", "Amount due", total - received, "", "Amount due", ()),
        number="INV-2026-00417",
        reference="J-10482",
        is_for_job=True,
        issued_on=ISSUED,
        due_on=ISSUED + timedelta(days=30),
        terms="Net 30",
        purchase_order="",
        bill_to=["Ada Lovelace", "12 Analytical Way", "Duluth, MN 55804"],
        service_at=["Lake house", "77 Shore Road", "Two Harbors, MN 55616"],
        summary="The furnace did not light. We found a cracked igniter, replaced it, changed both "
        "filters and ran the furnace through three heating cycles.",
        groups=body,
        subtotal=subtotal,
        taxes=taxes,
        total=total,
        payments=payments,
        balance=total - received,
        family=(),
        overdue=False,
        pay_url=PAY_URL,
        qr=qr_code(PAY_URL),
        stamp="",
    )
    return replace(paper, **changes)


def receipt_paper(**changes: Any) -> ReceiptPaper:
    """A receipt for one payment on two invoices."""
    paper = ReceiptPaper(
        head=HEAD,
        title="Receipt",
        amount_title="Amount received",
        payer_title="Received from",
        method_title="Paid by",
        given_back=(),
        gives_back="",
        returned_on=None,
        returned_because="",
        number="R-000231",
        received_on=date(2026, 11, 20),
        payer=["Ada Lovelace", "12 Analytical Way", "Duluth, MN 55804"],
        method="Visa card ending 4242",
        reference="ch_3Q8xY1",
        amount=Money.of("500.00"),
        lines=[
            ReceiptLine("INV-2026-00417", Money.of("412.50"), ZERO),
            ReceiptLine("INV-2026-00431", Money.of("60.00"), Money.of("18.20")),
        ],
        credit=Money.of("27.50"),
        stamp="",
    )
    return replace(paper, **changes)
