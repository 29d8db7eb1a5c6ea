"""What the placeholders of a message about an invoice stand for."""

from __future__ import annotations

import sqlalchemy as sa
from flask import current_app

from portal.company import company, format_day, today
from portal.db import NO_MONEY, db
from portal.invoices.internal_papers import IS_INTERNAL
from portal.invoices.pay_links import known_pay_link_url, pay_link_url
from portal.kernel.money import ZERO
from portal.models import ON_THE_BOOKS, Invoice, InvoiceKind
from portal.outbox import Values
from portal.settings import Settings

CREDITING_KINDS = frozenset({InvoiceKind.CREDIT_NOTE, InvoiceKind.REFUND})
LATE = {"en": "overdue", "es": "vencida", "fr": "en retard"}


def template_kind(invoice: Invoice) -> str:
    """Which words it is sent with."""
    lowers = invoice.kind is InvoiceKind.ADJUSTMENT and invoice.total < ZERO
    return "credit_note" if lowers or invoice.kind in CREDITING_KINDS else "invoice"


def newest_sent_with(kind: str) -> Invoice | None:
    """The newest final invoice whose message has the words of this kind, to show them with."""
    lowers = sa.or_(
        Invoice.kind.in_(CREDITING_KINDS),
        sa.and_(Invoice.kind == InvoiceKind.ADJUSTMENT, Invoice.total < NO_MONEY),
    )
    query = sa.select(Invoice).where(
        Invoice.state.in_(ON_THE_BOOKS),
        ~IS_INTERNAL,
        lowers if kind == "credit_note" else ~lowers,
    )
    return db.session.scalars(query.order_by(Invoice.id.desc()).limit(1)).first()


def invoice_values(invoice: Invoice, language: str, *, makes_link: bool = True) -> Values:
    """Everything a message about this invoice may say; a preview makes no link of its own."""
    owed = max(invoice.balance, ZERO)
    lowers = invoice.sign < 0 or template_kind(invoice) == "credit_note"
    return {
        "customer_name": invoice.customer.name,
        "number": invoice.number,
        "total": -invoice.total if lowers else invoice.total,
        "balance": owed if owed else "",
        "due_date": _due(invoice, language) if owed else "",
        "date": invoice.invoice_date or "",
        "pay_link": guest_link(invoice, makes_link=makes_link) if owed else "",
        "portal_link": portal_url(),
        "summary": invoice.summary,
        "company_name": company().name,
    }


def portal_url() -> str:
    """Where customers sign in."""
    settings: Settings = current_app.config["SETTINGS"]
    return f"{settings.base_url}/my/"


def guest_link(invoice: Invoice, *, makes_link: bool = True) -> str:
    """The invoice's guest address; looking at a message makes none that is not there yet."""
    if makes_link:
        return pay_link_url(invoice)
    settings: Settings = current_app.config["SETTINGS"]
    return known_pay_link_url(invoice) or f"{settings.base_url}/pay/…"


def _due(invoice: Invoice, language: str) -> str:
    if invoice.due_date is None:
        return ""
    locale = company().locale if company().locale.startswith(language) else language
    day = format_day(invoice.due_date, locale, "full")
    late = invoice.is_overdue(today())
    return f"{day} ({LATE.get(language, LATE['en'])})" if late else day
