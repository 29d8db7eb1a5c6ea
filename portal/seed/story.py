"""Fourteen months of the demo company's life, day by day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

import sqlalchemy as sa

from portal.db import db
from portal.invoices import (
    get_invoice,
    invoice_of_job,
    post_invoice,
    review_invoice,
    send_invoice,
)
from portal.jobs import JobWords, LogWords, add_log, add_note, book_job, complete_job, start_job
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity
from portal.models import (
    AccountRole,
    Invoice,
    Job,
    Message,
    MessageState,
    Payment,
    ReviewState,
    SentState,
)
from portal.models.ledger import Account
from portal.models.payment import PaymentType
from portal.payments import ReceivedMoney, payment_types, receive_payment
from portal.seed.disputed import dispute_at_gateway
from portal.seed.online import paid_page
from portal.seed.world import TRADES, World

SUMMARIES = {
    "Heating & Cooling": [
        "No cooling upstairs. Found a failed run capacitor, replaced it, checked pressures.",
        "Seasonal tune-up of the heat pump. Cleaned the coil, changed the filter.",
        "Unit short-cycling. Recharged the refrigerant and sealed the flare fitting.",
    ],
    "Plumbing": [
        "Kitchen drain blocked. Cleared forty feet of line and flushed it.",
        "Water heater leaking at the tank. Replaced it, hauled the old one away.",
        "Shut-off valve under the sink would not close. Replaced it.",
    ],
    "Electrical": [
        "Outlet in the bathroom dead. Replaced it with a GFCI outlet and tested it.",
        "Breaker trips under load. Replaced it and balanced the circuit.",
        "Panel upgrade to 200 A, inspected by the city.",
    ],
}


@dataclass
class Story:
    """Lives one day after the other; late payers stay late."""

    world: World
    random: Random
    open_jobs: list[tuple[int, date]] = field(default_factory=list)
    to_pay: list[tuple[int, date, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Note which of the customers each is, whatever ids the database gave them."""
        self.places = {one.id: place for place, one in enumerate(self.world.customers, 1)}

    def live(self, day: date, end: date) -> None:
        """Book, complete, post and get paid what belongs to this day."""
        if day.weekday() < 5 and self.random.random() < 0.85:
            self._book(day)
        self._finish(day, end)
        self._collect(day)

    def close(self) -> None:
        """Yesterday's mail has been read; one payer disputes a payment."""
        db.session.execute(
            sa.update(Message).values(state=MessageState.KEPT, sent_at=Message.created_at)
        )
        self._mark_sent()
        payment = db.session.scalars(
            sa.select(Payment)
            .join(PaymentType)
            .join(Account)
            .where(Account.role == AccountRole.TEST_CLEARING)
            .order_by(Payment.id.desc())
            .limit(1)
        ).one()
        dispute_at_gateway(payment)

    def _mark_sent(self) -> None:
        """Every mailed invoice counts as sent; who paid has opened it."""
        mailed = sa.select(Message.subject_id).where(Message.kind == "invoice")
        paid = Invoice.balance < Invoice.total
        state = sa.case((paid, SentState.OPENED), else_=SentState.SENT)
        db.session.execute(
            sa.update(Invoice)
            .where(Invoice.id.in_(mailed))
            .values(
                sent_state=state,
                sent_total=Invoice.total,
                sent_number=sa.func.coalesce(Invoice.document_number, Invoice.reference_number),
                sent_said_at=Invoice.posted_at,
                sent_at=Invoice.posted_at,
                opened_at=sa.case((paid, Invoice.posted_at)),
            )
        )

    def _book(self, day: date) -> None:
        customer = self.random.choice(self.world.customers)
        trade = self.random.choice(list(TRADES))
        technician = self.world.technicians[list(TRADES).index(trade)]
        job = book_job(
            JobWords(
                location=customer.locations[0], summary=self.random.choice(SUMMARIES[trade]),
                job_type="Repair", business_unit_id=self.world.units[trade].id,
                technician_id=technician.id, scheduled_on=day + timedelta(days=1),
            )
        )  # fmt: skip
        self._log(job, trade)
        self.open_jobs.append((job.id, day + timedelta(days=self.random.randint(1, 4))))

    def _log(self, job: Job, trade: str) -> None:
        labor, *parts = TRADES[trade]
        items = self.world.items
        hours = Quantity.of(self.random.choice(["1", "1.5", "2", "2.5", "4"]))
        add_log(job, LogWords(quantity=hours, item=items[labor]))
        for code in self.random.sample(parts[:-1], k=self.random.randint(1, 2)):
            add_log(
                job, LogWords(quantity=Quantity.of(self.random.randint(1, 3)), item=items[code])
            )
        if self.random.random() < 0.08:
            add_log(job, LogWords(quantity=Quantity.of(1), item=items[parts[-1]]))
            add_log(job, LogWords(quantity=Quantity.of(1), item=items["DISPOSAL"]))
        add_log(job, LogWords(quantity=Quantity.of(1), item=items["TRIP"]))
        if self.random.random() < 0.1:
            add_log(job, LogWords(quantity=Quantity.of(1), item=items["SENIOR"]))

    def _finish(self, day: date, end: date) -> None:
        due = [job_id for job_id, on in self.open_jobs if on <= day]
        self.open_jobs = [(job_id, on) for job_id, on in self.open_jobs if on > day]
        for job_id in due:
            job = db.session.get_one(Job, job_id)
            start_job(job)
            complete_job(job, on=day)
            if self.random.random() < 0.15:
                add_note(job, "Customer asked for a call before the next visit.", author=None)
            invoice = invoice_of_job(job)
            assert invoice is not None
            if (end - day).days > 4:
                self._bill(invoice, day)
            elif self.random.random() < 0.5:
                review_invoice(invoice, ReviewState.REVIEWED)

    def _bill(self, invoice: Invoice, day: date) -> None:
        review_invoice(invoice, ReviewState.REVIEWED)
        db.session.flush()
        post_invoice(invoice)
        send_invoice(get_invoice(invoice.id))
        late = (self.places[invoice.customer_id] * 7) % 10  # the same people are always late
        if late < 6:
            wait, how = self.random.randint(0, 12), "prompt"
        elif late < 8:
            wait, how = self.random.randint(25, 70), "late"
        else:
            wait, how = self.random.randint(60, 190), "very late"
        self.to_pay.append((invoice.id, day + timedelta(days=wait), how))

    def _collect(self, day: date) -> None:
        due = [(number, how) for number, on, how in self.to_pay if on <= day]
        self.to_pay = [entry for entry in self.to_pay if entry[1] > day]
        for invoice_id, how in due:
            invoice = get_invoice(invoice_id)
            if invoice.balance <= ZERO:
                continue
            amount = invoice.balance
            if how != "prompt" and self.random.random() < 0.25:
                amount = Money(max(amount.cents // 2, 1))
                self.to_pay.append((invoice_id, day + timedelta(days=60), how))
            elif self.random.random() < 0.03:
                amount += Money.of("20.00")  # pays too much: stays credit
            self._receive(invoice, amount, day)

    def _receive(self, invoice: Invoice, amount: Money, day: date) -> None:
        online = self.random.random() < 0.3
        kinds = payment_types(online=online)
        kind = next(one for one in kinds if "TEST" in one.name) if online else kinds[0]
        ref = f"demo-{invoice.id}-{day}"
        if online:
            db.session.add(paid_page(ref, amount))
        receive_payment(
            ReceivedMoney(
                customer=invoice.customer, amount=amount, type=kind, on=day,
                reference="" if online else str(self.random.randint(1001, 9899)),
                provider="test" if online else None,
                provider_ref=ref if online else None,
                livemode=not online,
            ),
            [(invoice, amount)],
        )  # fmt: skip
