"""Sending an invoice by email or text message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.audit import record
from portal.db import db
from portal.invoices.addresses import billing_addresses, copy_addresses, mobile_numbers
from portal.invoices.electronic import electronic_problem
from portal.invoices.internal_papers import is_internal_paper
from portal.invoices.message_words import invoice_values, template_kind
from portal.invoices.pay_links import pay_link_url
from portal.invoices.printing import pdf_name
from portal.invoices.wording import named
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import Channel, Invoice, InvoiceState, JobPhoto, SentState
from portal.outbox import (
    Attachment,
    Says,
    Words,
    mail_is_kept,
    spoken,
    texts_are_kept,
    words_for,
    write_letter,
    write_message,
)

LARGEST = 10 * 1024 * 1024  # bytes of photos; encoded for mail they grow by a third
LONGEST_TEXT = 1600  # characters a text gateway takes


@dataclass(frozen=True)
class Sending:
    """How one invoice is sent; what is left empty follows the customer's record.

    `to` are addresses or numbers, `cc` is None for the customer's own copies, `words` are the
    text somebody edited. `key` makes sending it twice one message; without one it is the minute.
    """

    to: Sequence[str] = ()
    cc: Sequence[str] | None = None
    language: str = ""
    words: Words | None = None
    photos: Sequence[JobPhoto] = ()
    key: str = ""
    item_id: int | None = None


def send_invoice(invoice: Invoice, how: Sending | None = None) -> int:
    """Queue the invoice with its PDF and pay link to every billing address; returns how many.

    Each address gets a mail of its own, the first one carries the copies. Each press sends once:
    the same invoice to the same address twice in a minute is one mail. Raises DomainError when
    it is cancelled, empty, undated, nobody can be written to, or the photos are too large.
    """
    how = how or Sending()
    require_sendable(invoice)
    addresses = [one.strip() for one in how.to if one.strip()] or billing_addresses(invoice)
    if not addresses:
        raise DomainError(
            f"{invoice.customer.name} has no email address. Add one to the customer or a contact."
        )
    copies = copy_addresses(invoice.customer) if how.cc is None else how.cc
    copies = [one for one in copies if one not in addresses]
    attachments = _attachments(invoice, how.photos)
    with db.session.begin_nested():  # an address that is refused takes the others back with it
        sent = [
            address
            for place, address in enumerate(addresses)
            if _mail(invoice, how, address, [] if place else copies, attachments)
        ]
    _tell(invoice, [*sent, *copies] if sent else [], "by email", kept=mail_is_kept())
    return len(sent)


def send_text(invoice: Invoice, how: Sending | None = None) -> int:
    """Queue a short text with the pay link to every mobile number; returns how many.

    Raises DomainError as `send_invoice`, and when no contact's phone is marked as mobile.
    """
    how = how or Sending()
    require_sendable(invoice)
    numbers = [one for one in how.to if one.strip()] or mobile_numbers(invoice.customer)
    if not numbers:
        raise DomainError(
            f"No contact of {invoice.customer.name} has a phone that is marked as mobile."
        )
    with db.session.begin_nested():
        sent = [number for number in numbers if _text(invoice, how, number)]
    _tell(invoice, sent, "as a text message", kept=texts_are_kept())
    return len(sent)


def show_link(invoice: Invoice) -> str:
    """The guest link, to be looked at: looking is not sending, and nothing is marked.

    Raises DomainError when it is cancelled, empty or undated.
    """
    require_sendable(invoice)
    return pay_link_url(invoice)


def hand_out_link(invoice: Invoice) -> str:
    """The guest link, passed on by hand: the invoice counts as sent from now on.

    Raises DomainError when it is cancelled, empty or undated.
    """
    require_sendable(invoice)
    if invoice.sent_state is SentState.NOT_SENT or invoice.changed_since_sent:
        invoice.note_sent(clock.now())
        record("sent", invoice, f"The pay link of {named(invoice, mid=True)} was handed out.")
    return pay_link_url(invoice)


def sending_problem(invoice: Invoice) -> str | None:
    """Why it cannot be sent, in words, or None."""
    if invoice.state is InvoiceState.CANCELLED:
        return "This invoice is cancelled."
    if is_internal_paper(invoice):
        return f"{invoice.number} is a paper of the house's own books and is not sent to customers."
    if not invoice.lines and invoice.is_on_the_books:
        return f"{named(invoice)} is final without a line: there is nothing to send."
    if not invoice.lines or invoice.invoice_date is None:
        return "Give the invoice a date and at least one line before sending it."
    return electronic_problem(invoice)  # else it would wait in the outbox for ever


def require_sendable(invoice: Invoice) -> None:
    """DomainError with the first reason why it cannot be sent."""
    if problem := sending_problem(invoice):
        raise DomainError(problem)


def _mail(
    invoice: Invoice,
    how: Sending,
    address: str,
    copies: Sequence[str],
    attachments: Sequence[Attachment],
) -> bool:
    language = spoken(how.language or invoice.customer.language)
    words = how.words or words_for(template_kind(invoice), Channel.EMAIL, language)
    letter = write_letter(words, invoice_values(invoice, language), language)
    message = write_message(
        kind=template_kind(invoice),
        recipient=address,
        cc=copies,
        subject=letter.subject,
        body=letter.text,
        html=letter.html(language),
        language=language,
        dedupe_key=_key(invoice, how, address),
        about=invoice,
        customer_id=invoice.customer_id,
        sending_item_id=how.item_id,
        attachments=attachments,
        says=Says(invoice.number, invoice.total),
    )
    return message is not None


def _text(invoice: Invoice, how: Sending, number: str) -> bool:
    language = spoken(how.language or invoice.customer.language)
    words = how.words or words_for(template_kind(invoice), Channel.SMS, language)
    letter = write_letter(words, invoice_values(invoice, language), language)
    if len(letter.text) > LONGEST_TEXT:
        raise InvalidFields({"body": f"A text message has at most {LONGEST_TEXT} characters."})
    message = write_message(
        kind=template_kind(invoice),
        channel=Channel.SMS,
        recipient=number,
        subject="",
        body=letter.text,
        language=language,
        dedupe_key=_key(invoice, how, number),
        about=invoice,
        customer_id=invoice.customer_id,
        sending_item_id=how.item_id,
        says=Says(invoice.number, invoice.total),
    )
    return message is not None


def _attachments(invoice: Invoice, photos: Sequence[JobPhoto]) -> list[Attachment]:
    size = sum(photo.file.size for photo in photos)
    if size > LARGEST:
        raise DomainError(
            f"The photos are {size / 1024 / 1024:.1f} MB together; mail takes at most 10 MB. "
            "Share fewer of them with the customer, or send without photos."
        )
    names = [f"photo-{place}.jpg" for place in range(1, len(photos) + 1)]
    return [
        Attachment("invoice", invoice.id, pdf_name(invoice)),
        *(Attachment("photo", one.id, name) for one, name in zip(photos, names, strict=True)),
    ]


def _key(invoice: Invoice, how: Sending, recipient: str) -> str:
    when = how.key or clock.now().strftime("%Y%m%d%H%M")
    return f"invoice-{invoice.id}-{recipient}-{when}"


def _tell(invoice: Invoice, recipients: Sequence[str], how: str, *, kept: bool) -> None:
    """The timeline says what is true: kept is not sent."""
    if not recipients:
        return
    to = ", ".join(recipients)
    if kept:
        sentence = f"{named(invoice)} for {to} is kept in the outbox: nothing was sent."
        record("kept", invoice, sentence)
    else:
        record("sent", invoice, f"{named(invoice)} goes to {to} {how}.")
