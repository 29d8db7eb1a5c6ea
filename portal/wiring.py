"""Who reacts to what: the one list of subscriptions, tasks and registered documents."""

from __future__ import annotations

from typing import Any

from flask import Flask

from portal import payment_collection, tasks
from portal.imports import look_at_run, waiting_runs
from portal.invoices import (
    InvoiceChanged,
    InvoiceShrinking,
    InvoicesPosted,
    cancel_job_invoice,
    fill_job_invoice,
    free_job_invoice,
    invoice_pdf,
    make_pay_links,
    mark_sent,
    start_job_invoice,
)
from portal.jobs import JobBooked, JobCancelled, JobCompleted, JobReopened
from portal.kernel.events import Event, Handler, wire
from portal.outbox import MessageSent, deliver, waiting_messages
from portal.payment_collection import (
    PaymentCameBack,
    PaymentOnItsWay,
    close_stale,
    close_stale_checkouts,
    due_attempts,
    handle_event,
    recheck,
    stale_attempts,
    tell_payer,
    waiting_events,
)
from portal.payments import PaymentReceived, receipt_pdf, release_excess, send_receipt
from portal.schedule import run_due
from portal.tasks import MAIL, TaskKind

SUBSCRIPTIONS: dict[type[Event], list[Handler]] = {
    JobBooked: [lambda event: start_job_invoice(event.job)],
    JobCompleted: [lambda event: fill_job_invoice(event.job)],
    JobReopened: [lambda event: free_job_invoice(event.job)],
    JobCancelled: [lambda event: cancel_job_invoice(event.job)],
    InvoiceShrinking: [release_excess],
    InvoiceChanged: [close_stale_checkouts],
    InvoicesPosted: [make_pay_links],
    PaymentReceived: [send_receipt],
    PaymentOnItsWay: [],
    PaymentCameBack: [tell_payer],
    MessageSent: [mark_sent],
}

TASKS = [
    TaskKind("message", deliver, waiting_messages, lane=MAIL),
    TaskKind("gateway_event", handle_event, waiting_events),
    TaskKind("attempt", recheck, due_attempts),
    TaskKind("import_run", look_at_run, waiting_runs),
    TaskKind("stale_checkout", close_stale, stale_attempts),
]

DOCUMENTS: dict[str, Any] = {"invoice": invoice_pdf, "receipt": receipt_pdf}


def wire_house(app: Flask) -> None:
    """Install every subscription, task kind, document and the gateway; once per app."""
    wire(SUBSCRIPTIONS)
    app.extensions["document renderers"] = DOCUMENTS
    tasks.set_up(app, tasks.register(TASKS), run_due)
    payment_collection.set_up(app)
