"""What we can show a bank about a disputed payment, from our own records, as one PDF."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.company import company, format_day
from portal.db import db
from portal.documents import Letterhead, letterhead, merge_pdfs, render_pdf
from portal.files import thumbnail
from portal.invoices import get_invoice, invoice_pdf
from portal.models import (
    Consent,
    Contact,
    Customer,
    Dispute,
    Invoice,
    JobNote,
    JobPhoto,
    Message,
    Payment,
    PaymentApplication,
    SignIn,
)
from portal.payment_collection.enclosures import USUAL, Enclosure
from portal.payments import receipt_pdf

MOST_INVOICES, MOST_PHOTOS, MOST_ROWS = 10, 12, 60  # processors take files of some megabytes
FIELDS = (
    "what_was_sold", "when", "customer_name", "customer_email", "billing_address", "contact",
    "explanation",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    caption: str
    source: str  # a data address


@dataclass(frozen=True)
class EvidencePaper:
    """The cover of the evidence: who, what, what was done, and what we know they saw."""

    head: Letterhead
    dispute: Dispute
    payment: Payment
    customer: Customer
    invoices: Sequence[Invoice]
    opened: bool  # whether it says when an invoice was sent and opened
    job_notes: Sequence[JobNote]
    pictures: Sequence[Picture]
    messages: Sequence[Message]
    sign_ins: Sequence[SignIn]
    consents: Sequence[Consent]
    words: Mapping[str, str]


def proposed_words(dispute: Dispute) -> dict[str, str]:
    """What each field of the answer could say; somebody reads and changes it before."""
    payment, locale = dispute.payment, company().locale
    invoices = invoices_paid_by(payment)
    jobs = [one.job for one in invoices if one.job is not None]
    days = [one.completed_on or one.scheduled_on for one in jobs]
    what = [f"{one.number}: {_summary(one)}" for one in invoices]
    contact = [
        *(_("%(d)s: %(k)s to %(r)s", d=_at(one), k=one.kind, r=one.recipient)
          for one in _messages(payment, invoices)),
        *(_("%(d)s: invoice %(n)s was opened", d=format_day(one.opened_at.date(), locale),
            n=one.number) for one in invoices if one.opened_at),
    ]  # fmt: skip
    return {
        "what_was_sold": "\n".join(what),
        "when": ", ".join(format_day(day, locale) for day in days if day),
        "customer_name": payment.customer.name,
        "customer_email": payment.customer.email or "",
        "billing_address": ", ".join(payment.customer.address_lines),
        "contact": "\n".join(str(one) for one in contact),
        "explanation": str(
            _("The work was ordered and done, the invoice was sent and paid on %(d)s. Papers are "
              "attached.", d=format_day(payment.received_on, locale))
        ),
    }  # fmt: skip


def evidence_pdf(
    dispute: Dispute, words: Mapping[str, str], enclosed: Collection[Enclosure] = USUAL
) -> bytes:
    """Cover, invoices and receipt as one PDF, of what is enclosed. Raises DocumentsUnavailable."""
    paper = _paper(dispute, words, enclosed)
    cover = render_pdf(
        "documents/dispute.html", language="en", paper=company().paper.value,
        head=paper.head, evidence=paper,
    )  # fmt: skip
    papers = [cover, *(invoice_pdf(one.id, link=False) for one in paper.invoices)]
    title = f"Evidence for dispute {dispute.dispute_ref}"
    if Enclosure.RECEIPT in enclosed:
        papers.append(receipt_pdf(dispute.payment_id))
    return merge_pdfs(papers, title=title)


def invoices_paid_by(payment: Payment) -> list[Invoice]:
    """Every invoice this money was ever on, oldest first."""
    query = (
        sa.select(PaymentApplication.invoice_id)
        .where(PaymentApplication.payment_id == payment.id)
        .distinct()
        .order_by(PaymentApplication.invoice_id)
        .limit(MOST_INVOICES)
    )
    return [get_invoice(one) for one in db.session.scalars(query).all()]


def _paper(
    dispute: Dispute, words: Mapping[str, str], enclosed: Collection[Enclosure]
) -> EvidencePaper:
    payment, has = dispute.payment, Enclosure
    invoices = invoices_paid_by(payment)
    return EvidencePaper(
        head=letterhead(),
        dispute=dispute,
        payment=payment,
        customer=payment.customer,
        invoices=invoices if has.INVOICES in enclosed else [],
        opened=has.VISITS in enclosed,
        job_notes=_notes(invoices) if has.JOB_NOTES in enclosed else [],
        pictures=_pictures(invoices) if has.PHOTOS in enclosed else [],
        messages=_messages(payment, invoices) if has.MESSAGES in enclosed else [],
        sign_ins=_sign_ins(payment.customer) if has.VISITS in enclosed else [],
        consents=_consents(payment.customer) if has.CONSENTS in enclosed else [],
        words=words,
    )


def _notes(invoices: Sequence[Invoice]) -> list[JobNote]:
    return [note for one in invoices if one.job for note in one.job.notes][:MOST_ROWS]


def _summary(invoice: Invoice) -> str:
    return invoice.summary or (invoice.job.summary if invoice.job else "") or invoice.kind.value


def _at(message: Message) -> str:
    return format_day((message.sent_at or message.created_at).date(), company().locale)


def _pictures(invoices: Sequence[Invoice]) -> list[Picture]:
    """Photos of the work that the customer may see; a file that is gone is left out."""
    jobs = [one.job_id for one in invoices if one.job_id]
    query = sa.select(JobPhoto).where(JobPhoto.job_id.in_(jobs), JobPhoto.shared)
    found = []
    for photo in db.session.scalars(query.order_by(JobPhoto.id).limit(MOST_PHOTOS)):
        try:
            small = base64.b64encode(thumbnail(photo.file.key, side=700)).decode()
        except OSError:
            continue
        found.append(Picture(photo.caption, f"data:image/jpeg;base64,{small}"))
    return found


def _messages(payment: Payment, invoices: Sequence[Invoice]) -> list[Message]:
    """What was sent about these invoices and this payment."""
    about = sa.or_(
        sa.and_(Message.subject_kind == "invoice",
                Message.subject_id.in_([one.id for one in invoices])),
        sa.and_(Message.subject_kind == "payment", Message.subject_id == payment.id),
    )  # fmt: skip
    query = sa.select(Message).where(about).order_by(Message.id).limit(MOST_ROWS)
    return list(db.session.scalars(query))


def _sign_ins(customer: Customer) -> list[SignIn]:
    emails = sa.select(sa.func.lower(Contact.email)).where(Contact.customer_id == customer.id)
    query = (
        sa.select(SignIn)
        .where(sa.func.lower(SignIn.contact_email).in_(emails))
        .order_by(SignIn.id.desc())
        .limit(MOST_ROWS)
    )
    return list(db.session.scalars(query))


def _consents(customer: Customer) -> list[Consent]:
    query = sa.select(Consent).where(Consent.customer_id == customer.id)
    return list(db.session.scalars(query.order_by(Consent.id).limit(MOST_ROWS)))
