"""Sending an invoice by email, and knowing that it was sent and opened."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from portal.audit import record
from portal.company import company, today
from portal.db import db, note_in_passing
from portal.invoices.pay_links import pay_link_url
from portal.invoices.printing import pdf_name
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO
from portal.models import (
    BillingAccess,
    Invoice,
    InvoiceState,
    MessageState,
    SentState,
)
from portal.outbox import Attachment, MessageSent, compose, write_message


def billing_addresses(invoice: Invoice) -> list[str]:
    """Where the invoice goes: contacts with billing access, else the customer's own address."""
    people = [
        contact.email
        for contact in invoice.customer.contacts
        if contact.active and contact.email and contact.billing_access is not BillingAccess.NONE
    ]
    fallback = [invoice.customer.email] if invoice.customer.email else []
    return list(dict.fromkeys(people)) or fallback


def send_invoice(invoice: Invoice, *, to: Collection[str] = ()) -> int:
    """Queue the invoice with its PDF and pay link to every billing address; returns how many.

    Each press sends once: the same invoice to the same address twice in a minute is one mail.
    Raises DomainError when it is cancelled, empty, undated, or nobody can be written to.
    """
    _require_sendable(invoice)
    addresses = [address.strip() for address in to if address.strip()] or billing_addresses(invoice)
    if not addresses:
        raise DomainError(
            f"{invoice.customer.name} has no email address. Add one to the customer or a contact."
        )
    with db.session.begin_nested():  # an address that is refused takes the others back with it
        sent = sum(_send_one(invoice, address) for address in addresses)
    record("sent", invoice, f"Invoice {invoice.number} goes to {', '.join(addresses)}.")
    return sent


def mark_sent(event: MessageSent) -> None:
    """A message about an invoice left: the invoice counts as sent; a kept one has not left."""
    message = event.message
    left = message.state is MessageState.SENT
    if message.kind != "invoice" or message.subject_id is None or not left:
        return
    # no new version: a page somebody has open stays good
    db.session.execute(
        sa.update(Invoice)
        .where(Invoice.id == message.subject_id, Invoice.sent_state == SentState.NOT_SENT)
        .values(sent_state=SentState.SENT, sent_at=clock.now())
    )


def mark_opened(invoice: Invoice) -> None:
    """The customer looked at it; remembered once, the next look will do when this one cannot."""
    if invoice.sent_state is not SentState.SENT:
        return  # what was never sent cannot have been opened by the customer
    note_in_passing(
        sa.update(Invoice)
        .where(Invoice.id == invoice.id, Invoice.sent_state == SentState.SENT)
        .values(sent_state=SentState.OPENED, opened_at=clock.now())
    )


def hand_out_link(invoice: Invoice) -> str:
    """The guest link, for a person to pass on by hand: the invoice counts as sent from now on.

    Raises DomainError when it is cancelled, empty or undated.
    """
    _require_sendable(invoice)
    if invoice.sent_state is SentState.NOT_SENT:
        invoice.sent_state, invoice.sent_at = SentState.SENT, clock.now()
        record("sent", invoice, f"The pay link of invoice {invoice.number} was handed out.")
    return pay_link_url(invoice)


def _require_sendable(invoice: Invoice) -> None:
    if invoice.state is InvoiceState.CANCELLED:
        raise DomainError("This invoice is cancelled.")
    if not invoice.lines or invoice.invoice_date is None:
        raise DomainError("Give the invoice a date and at least one line before sending it.")


def _send_one(invoice: Invoice, address: str) -> bool:
    subject, text, html = compose(
        "invoice",
        language=invoice.customer.language,
        invoice=invoice,
        company=company(),
        pay_url=pay_link_url(invoice) if invoice.balance > ZERO else "",
        overdue=invoice.is_overdue(today()),
    )
    minute = clock.now().strftime("%Y%m%d%H%M")
    message = write_message(
        kind="invoice",
        recipient=address,
        subject=subject,
        body=text,
        html=html,
        language=invoice.customer.language,
        dedupe_key=f"invoice-{invoice.id}-{address}-{minute}",
        about=invoice,
        customer_id=invoice.customer_id,
        attachments=[Attachment("invoice", invoice.id, pdf_name(invoice))],
    )
    return message is not None
