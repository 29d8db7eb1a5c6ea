"""What the rules send by themselves, queued in the transaction that caused it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from portal.db import db
from portal.invoices import InvoicesPosted, invoice_of_job
from portal.jobs import JobCompleted
from portal.models import AutoSendRule, Customer, Invoice, InvoiceKind, SendingMoment
from portal.sendings.rules import active_rules
from portal.sendings.runs import start_run

# What a customer waits for; sales at the counter, refunds and write-offs are handed over there.
SENT_BY_RULE = frozenset(
    {
        InvoiceKind.JOB,
        InvoiceKind.MANUAL,
        InvoiceKind.ADJUSTMENT,
        InvoiceKind.CREDIT_NOTE,
        InvoiceKind.INTEREST,
    }
)


def send_completed(event: JobCompleted) -> None:
    """The job's invoice was just filled: send it if a rule says so (servicetitan-rules §12)."""
    rules = active_rules(SendingMoment.COMPLETION)
    invoice = invoice_of_job(event.job) if rules else None
    if invoice is not None:
        _send_what_fits(rules, [invoice])


def send_posted(event: InvoicesPosted) -> None:
    """Send the posted invoices a rule names: one query when there is no rule."""
    rules = active_rules(SendingMoment.POSTING)
    if rules:
        _send_what_fits(rules, event.invoices)


def _send_what_fits(rules: Sequence[AutoSendRule], invoices: Sequence[Invoice]) -> None:
    """One sending for all; whom it cannot reach stays in it as refused, for the office to see."""
    because = {}
    customers = _customers(invoices)
    for invoice in invoices:
        if invoice.kind in SENT_BY_RULE and customers[invoice.customer_id].auto_send:
            rule = next((one for one in rules if _fits(one, invoice)), None)
            if rule is not None:
                because[invoice.id] = f"By the rule “{rule.name}”:"
    if because:
        start_run(list(because), because=because)


def _customers(invoices: Sequence[Invoice]) -> dict[int, Customer]:
    ids = {one.customer_id for one in invoices}
    found = db.session.scalars(sa.select(Customer).where(Customer.id.in_(ids)))
    return {one.id: one for one in found}


def _fits(rule: AutoSendRule, invoice: Invoice) -> bool:
    job_type = invoice.job.job_type if invoice.job else ""
    unit = invoice.business_unit_id
    if rule.job_type and rule.job_type.casefold() != job_type.strip().casefold():
        return False
    return rule.business_unit_id is None or rule.business_unit_id == unit
