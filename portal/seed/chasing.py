"""Collections of the demo company: cases in several stages, promises, a dispute, a hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa

from portal.access import person_of_email
from portal.company import today
from portal.db import db, in_transaction
from portal.dunning import (
    IS_LIVE,
    REMINDER,
    ContactWords,
    DisputeWords,
    DunningWords,
    PromiseWords,
    StandingWords,
    assign_collector,
    change_rules,
    change_standing,
    dispute_invoice,
    dunning_rules,
    ensure_policy,
    hand_over,
    log_contact,
    look_at_step,
    open_items_of,
    promise,
    propose_write_off,
    run_collections,
    waiting_steps,
)
from portal.invoices import get_invoice
from portal.kernel import clock
from portal.models import (
    ContactOutcome,
    ContactWay,
    DunningCase,
    InvoiceDisputeReason,
    Message,
    MessageState,
    User,
)
from portal.payments import ReceivedMoney, payment_types, receive_payment

WEEKS_AGO = (6, 5, 4, 3)


def chase_late_payers(office_email: str) -> None:
    """Six weeks of reminders and calls, told through the services; the same every time."""
    office = person_of_email(office_email)
    if office is None:
        return
    office_id = office.id
    end = today()
    in_transaction(_begin)
    for weeks in WEEKS_AGO:
        _turn(end - timedelta(weeks=weeks))
    with clock.frozen(_noon(end - timedelta(days=12))):
        in_transaction(lambda: _talk(db.session.get_one(User, office_id)))
    with clock.frozen(_noon(end - timedelta(days=8))):
        in_transaction(_keep_one_promise)
    for days in (7, 2):
        _turn(end - timedelta(days=days))
    in_transaction(lambda: _decide(db.session.get_one(User, office_id)))
    run_collections()


def _begin() -> None:
    ensure_policy()
    rules = DunningWords(reminders_on=True, control_percent=10)
    change_rules(rules, version=dunning_rules().version)


def _turn(day: date) -> None:
    """What the worker does in the hours of that day; the mail was read long ago."""
    with clock.frozen(_noon(day)):
        run_collections()
        for step_id in waiting_steps():
            look_at_step(step_id)
    in_transaction(
        lambda: db.session.execute(
            sa.update(Message)
            .where(Message.kind == REMINDER)
            .values(state=MessageState.KEPT, sent_at=Message.created_at)
        )
    )


def _cases() -> Sequence[DunningCase]:
    query = sa.select(DunningCase).where(IS_LIVE).order_by(DunningCase.owed.desc(), DunningCase.id)
    return [one for one in db.session.scalars(query) if one.owed and not one.waits_because]


def _talk(office: User) -> None:
    """Calls: two promise, one contests a line, one cannot be reached."""
    cases = _cases()
    assign_collector([one.customer for one in cases[::2]], office)
    said = [
        (ContactOutcome.SPOKE, "Promised to pay this week."),
        (ContactOutcome.SPOKE, "Waits for money of their own, promised to pay."),
        (ContactOutcome.SPOKE, "Says the second visit was not needed."),
        (ContactOutcome.NO_ANSWER, ""),
        (ContactOutcome.LEFT_MESSAGE, "Asked for a call back."),
    ]
    for case, (outcome, note) in zip(cases, said, strict=False):
        words = ContactWords(ContactWay.CALL, outcome, note)
        log_contact(case, words, by=office, confirmed=True)
    for case, days in zip(cases[:2], (6, 4), strict=False):
        on = today() + timedelta(days=days)
        who = case.customer.contacts[0].name if case.customer.contacts else case.customer.name
        promise(case.customer, PromiseWords(case.owed, on, who), by=office)
    for case in cases[2:3]:
        _dispute(case, office)


def _dispute(case: DunningCase, office: User) -> None:
    item = open_items_of([case.customer_id], on=today())[case.customer_id][0]
    invoice = get_invoice(item.invoice_id)
    line = next((one for one in invoice.lines if 0 < one.total.cents <= item.balance.cents), None)
    words = DisputeWords(
        InvoiceDisputeReason.NOT_DONE, "The second visit was not needed.",
        line.id if line else None, owner=office,
    )  # fmt: skip
    dispute_invoice(invoice, words, by=office)


def _keep_one_promise() -> None:
    """The first who promised pays, all of it."""
    promised = sa.select(DunningCase).where(IS_LIVE, DunningCase.waits_because.contains("promised"))
    case = db.session.scalars(promised.order_by(DunningCase.owed.desc(), DunningCase.id)).first()
    if case is None:
        return
    items = open_items_of([case.customer_id], on=today())[case.customer_id]
    shares = [(get_invoice(one.invoice_id), one.balance) for one in items if one.chaseable]
    money = ReceivedMoney(
        customer=case.customer, amount=case.owed, type=payment_types()[0], on=today(),
        reference="Check 2044",
    )  # fmt: skip
    receive_payment(money, shares)


def _decide(office: User) -> None:
    """Today: one account on hold, one case with the manager, one write-off proposed."""
    cases = _cases()
    for case in cases[-1:]:
        words = StandingWords(on_hold=True, hold_because="Their bookkeeper checks the account.")
        change_standing(case.customer, words, version=0)
    for case in cases[3:4]:
        hand_over(case, office, because="They ask for ten percent off. Do we agree?")
    for case in cases[-2:-1]:
        item = open_items_of([case.customer_id], on=today())[case.customer_id][0]
        invoice = get_invoice(item.invoice_id)
        propose_write_off(case, invoice, amount=None, because="Moved away, no address.", by=office)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(18), tzinfo=UTC)
