"""Who reacts to what: the one list of subscriptions, tasks and registered documents."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Flask

from portal import dunning, payment_collection, sendings, tasks
from portal.batches import (
    leave_batch,
    look_at_batch,
    look_at_print_run,
    look_at_unpost_run,
    waiting_batches,
    waiting_print_runs,
    waiting_unpost_runs,
)
from portal.dunning import (
    REMINDER,
    Chance,
    look_at_customer,
    look_at_step,
    note_change,
    note_message,
    note_on_its_way,
    note_payment,
    objection_to_reminder,
    run_collections,
    score_by,
    waiting_steps,
)
from portal.imports import look_at_run, waiting_runs
from portal.invoices import (
    CreditWithdrawn,
    DocumentsCredited,
    InvoiceChanged,
    InvoiceShrinking,
    InvoicesPosted,
    ask_again,
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
from portal.late_fees import look_at_fee_run, waiting_fee_runs
from portal.models import ChargeSource
from portal.outbox import (
    MessageSent,
    deliver,
    deliver_text,
    object_by,
    waiting_messages,
    waiting_texts,
)
from portal.payment_collection import (
    ChargeEnded,
    MethodGone,
    MethodSaved,
    PaymentCameBack,
    PaymentOnItsWay,
    close_stale,
    close_stale_checkouts,
    decide_autopay,
    decide_bulk,
    decide_by,
    detach_removed,
    due_attempts,
    due_payouts,
    due_refunds,
    due_setups,
    handle_event,
    look_again_at_charges,
    look_at_charge,
    look_at_charge_run,
    methods_to_detach,
    note_ended_charge,
    recheck,
    recheck_dispute,
    recheck_refund,
    recheck_setup,
    send_answer,
    settle_payout,
    stale_attempts,
    tell_gone,
    tell_payer,
    waiting_answers,
    waiting_charge_runs,
    waiting_charges,
    waiting_events,
)
from portal.payment_plans import agreement_pdf, decide_plan, follow_total
from portal.payments import (
    PaymentReceived,
    give_credit,
    receipt_pdf,
    release_excess,
    send_receipt,
    withdraw_credit,
)
from portal.risk import reason_words, scored
from portal.schedule import run_due
from portal.sendings import (
    look_at_run as look_at_sending,
)
from portal.sendings import (
    photo_bytes,
    send_completed,
    send_posted,
)
from portal.sendings import (
    waiting_runs as waiting_sendings,
)
from portal.statements import look_at_share, statement_bytes, waiting_shares
from portal.tasks import MAIL, TaskKind

SUBSCRIPTIONS: dict[type[Event], list[Handler]] = {
    JobBooked: [lambda event: start_job_invoice(event.job)],
    JobCompleted: [lambda event: fill_job_invoice(event.job), send_completed],
    JobReopened: [lambda event: free_job_invoice(event.job)],
    JobCancelled: [lambda event: cancel_job_invoice(event.job)],
    InvoiceShrinking: [release_excess],
    InvoiceChanged: [
        close_stale_checkouts,
        leave_batch,
        ask_again,
        look_again_at_charges,
        follow_total,
        note_change,
    ],
    DocumentsCredited: [give_credit],
    CreditWithdrawn: [withdraw_credit],
    InvoicesPosted: [make_pay_links, send_posted],
    PaymentReceived: [send_receipt, note_payment],
    PaymentOnItsWay: [note_on_its_way],
    PaymentCameBack: [tell_payer, note_on_its_way],
    ChargeEnded: [note_ended_charge],
    MethodSaved: [],
    MethodGone: [tell_gone],
    MessageSent: [mark_sent, note_message],
}

TASKS = [
    TaskKind("message", deliver, waiting_messages, lane=MAIL),
    TaskKind("text", deliver_text, waiting_texts, lane=MAIL),
    TaskKind("gateway_event", handle_event, waiting_events),
    TaskKind("attempt", recheck, due_attempts),
    TaskKind("gateway_refund", recheck_refund, due_refunds),
    TaskKind("dispute", recheck_dispute, list),  # the daily turn looks at those not over
    TaskKind("payout", settle_payout, due_payouts),
    TaskKind("method_setup", recheck_setup, due_setups),
    TaskKind("removed_method", detach_removed, methods_to_detach),
    TaskKind("dispute_answer", send_answer, waiting_answers),
    TaskKind("import_run", look_at_run, waiting_runs),
    TaskKind("batch", look_at_batch, waiting_batches),
    TaskKind("unpost_run", look_at_unpost_run, waiting_unpost_runs),
    TaskKind("print_run", look_at_print_run, waiting_print_runs),
    TaskKind("sending_run", look_at_sending, waiting_sendings),
    TaskKind("statement_share", look_at_share, waiting_shares),
    TaskKind("stale_checkout", close_stale, stale_attempts),
    TaskKind("planned_charge", look_at_charge, waiting_charges),
    TaskKind("charge_run", look_at_charge_run, waiting_charge_runs),
    TaskKind("dunning_step", look_at_step, waiting_steps),
    TaskKind("collections_turn", lambda _turn: run_collections(), list),
    TaskKind("dunning_customer", look_at_customer, list),  # the hourly turn looks at everybody
    TaskKind("late_fee_run", look_at_fee_run, waiting_fee_runs),
]

DECIDERS = {
    ChargeSource.AUTOPAY: decide_autopay,
    ChargeSource.BULK: decide_bulk,
    ChargeSource.PLAN: decide_plan,
}

DOCUMENTS: dict[str, Any] = {
    "invoice": invoice_pdf,
    "receipt": receipt_pdf,
    "photo": photo_bytes,
    "statement": statement_bytes,
    "payment_plan": agreement_pdf,
}


def wire_house(app: Flask) -> None:
    """Install every subscription, task kind, document and the gateway; once per app."""
    wire(SUBSCRIPTIONS)
    app.extensions["document renderers"] = DOCUMENTS
    tasks.set_up(app, tasks.register(TASKS), run_due)
    payment_collection.set_up(app)
    for source, decide in DECIDERS.items():
        decide_by(source, decide)
    sendings.set_up(app)
    dunning.set_up(app)
    with app.app_context():
        object_by(REMINDER, objection_to_reminder)
        score_by(_learned_chances)


def _learned_chances(invoice_ids: Collection[int]) -> dict[int, Chance]:
    """The night's learned scores for collections; where only the plain rule scored, theirs."""
    return {
        invoice_id: Chance(risk.chance, tuple(reason_words(one) for one in risk.reasons))
        for invoice_id, risk in scored(invoice_ids).items()
        if not risk.by_rule
    }
