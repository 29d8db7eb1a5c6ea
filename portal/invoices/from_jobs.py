"""A completed job fills its invoice from the logs; a cancelled one takes it along."""

from __future__ import annotations

import sqlalchemy as sa

from portal.audit import record
from portal.db import db
from portal.invoices.editing import cancel_invoice, require_editable
from portal.invoices.lines import LineWords, write_line
from portal.invoices.starting import start_job_invoice
from portal.invoices.totals import price_invoice
from portal.models import Invoice, InvoiceLine, InvoiceState, Job, JobLog


def fill_job_invoice(job: Job) -> Invoice:
    """Date the job's invoice and write its lines from the logs, the customer's prices and zone.

    The date is the day the job was completed; lines a person added by hand stay. Idempotent:
    log lines are replaced, not doubled. Raises PeriodClosed.
    """
    assert job.completed_on is not None
    invoice = start_job_invoice(job)
    require_editable(invoice, moves_to=job.completed_on)
    invoice.invoice_date = job.completed_on
    invoice.due_date = invoice.term.due_date(job.completed_on) if invoice.term else None
    invoice.tax_zone = job.location.tax_zone
    invoice.summary = job.summary
    by_hand = [line for line in invoice.lines if line.job_log_id is None]
    invoice.lines = [_line_of(invoice, log) for log in job.logs] + by_hand
    price_invoice(invoice)
    record("filled", invoice, f"Filled from {_entries(len(job.logs))} of job {job.number}.")
    return invoice


def free_job_invoice(job: Job) -> None:
    """A reopened job writes its invoice anew when it is done; refused once that is final."""
    invoice = db.session.scalar(sa.select(Invoice).where(Invoice.job_id == job.id))
    if invoice is not None:
        require_editable(invoice)
        record("job reopened", invoice, f"Job {job.number} was opened again.")


def cancel_job_invoice(job: Job) -> None:
    """Cancel the Pending invoice of a cancelled job, if it has one."""
    invoice = db.session.scalar(sa.select(Invoice).where(Invoice.job_id == job.id))
    if invoice is not None and invoice.state is not InvoiceState.CANCELLED:
        cancel_invoice(invoice, because=job.cancelled_because or "the job was cancelled")


def _entries(count: int) -> str:
    return "1 log entry" if count == 1 else f"{count} log entries"


def _line_of(invoice: Invoice, log: JobLog) -> InvoiceLine:
    line = InvoiceLine(position=0)
    words = LineWords(
        description=log.description,
        quantity=log.quantity,
        unit_price=log.unit_price,
        item=log.item,
        technician_id=log.technician_id,
        job_log_id=log.id,
    )
    write_line(invoice, line, words)
    return line
