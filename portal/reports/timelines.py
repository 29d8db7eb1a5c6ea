"""Everything that happened around one customer, read from the audit trail."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from portal.db import Page, PageRequest, db, paginate
from portal.models import AuditEntry, Contact, DunningCase, Invoice, Message, Payment, PaymentPlan

Subject = tuple[str, int]


def customer_timeline(customer_id: int, page: PageRequest) -> Page[AuditEntry]:
    """Entries about the customer and all that is theirs, newest first.

    Each part is found in the index on the subject, so that a long trail costs no more.
    """
    of_customer = sa.and_(
        AuditEntry.subject_kind == "customer", AuditEntry.subject_id == customer_id
    )
    parts = [sa.select(AuditEntry.id).where(of_customer)]
    for kind, table in (
        ("contact", Contact),
        ("invoice", Invoice),
        ("payment", Payment),
        ("message", Message),
        ("paymentplan", PaymentPlan),
        ("dunningcase", DunningCase),
    ):
        theirs = sa.select(table.id).where(table.customer_id == customer_id)
        parts.append(
            sa.select(AuditEntry.id).where(
                AuditEntry.subject_kind == kind, AuditEntry.subject_id.in_(theirs)
            )
        )
    query = sa.select(AuditEntry).where(AuditEntry.id.in_(sa.union_all(*parts)))
    return paginate(query, page, sorts={"newest": AuditEntry.id}, default="-newest")


def names_of_subjects(entries: Iterable[AuditEntry]) -> dict[Subject, str]:
    """What the documents of these entries are called; one query for each kind."""
    kinds = ("invoice", "payment", "message", "paymentplan")
    ids: dict[str, set[int]] = {kind: set() for kind in kinds}
    for entry in entries:
        ids.get(entry.subject_kind, set()).add(entry.subject_id)
    number = sa.func.coalesce(Invoice.document_number, Invoice.reference_number)
    queries = {
        "invoice": sa.select(Invoice.id, number).where(Invoice.id.in_(ids["invoice"])),
        "payment": sa.select(Payment.id, Payment.amount).where(Payment.id.in_(ids["payment"])),
        "message": sa.select(Message.id, Message.subject).where(Message.id.in_(ids["message"])),
        "paymentplan": sa.select(PaymentPlan.id, PaymentPlan.amount).where(
            PaymentPlan.id.in_(ids["paymentplan"])
        ),
    }
    return {
        (kind, row_id): str(name)
        for kind, query in queries.items()
        for row_id, name in db.session.execute(query)
    }
