"""The whole life of invoices and money in any order: the books balance after every step.

A step is one verb of the house on rows picked at random, carried out in a savepoint as a request
is in its transaction; refusals are part of life and must leave nothing behind. Beside verify-books
an account of our own is kept of what came in, what was charged and what was given back, from what
the services were asked to do and not from what they wrote.

`--life-steps` says how many steps to take: 20,000 for the figure, fewer in the daily run, which
lives the same lives for everybody. `--life-seed` lives the lives of a failed run again.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from datetime import date
from itertools import count as count_up

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from portal.batches import add_invoices, start_batch, unpost_batch
from portal.db import db, total_of
from portal.invoices import (
    LineWords,
    ManualInvoice,
    PostingOutcome,
    add_line,
    cancel_invoice,
    change_line,
    finance,
    financings_of,
    post_invoice,
    post_invoices,
    remove_line,
    start_adjustment,
    start_credit_note,
    start_manual_invoice,
    undo_financing,
    unpost_invoice,
    write_off,
)
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import account_id_for, close_through, reopen_month, verify_books
from portal.models import (
    AccountRole,
    Batch,
    BatchState,
    Invoice,
    InvoiceState,
    JournalLine,
    Payment,
    PaymentApplication,
    WhenRefused,
)
from portal.payments import (
    PaymentPosting,
    PaymentWords,
    ReceivedMoney,
    RefundWords,
    ReturnReason,
    apply_credit,
    apply_payment,
    change_payment,
    delete_payment,
    move_application,
    payment_types,
    post_payments,
    receive_payment,
    refund,
    refund_reasons,
    return_payment,
    sources_of_payment,
    unapply,
    void_refund,
)
from tests.builders import Build

DAILY_STEPS = 400
STEPS_OF_A_LIFE = 50
DAYS = st.sampled_from([date(2026, 1, 5), date(2026, 1, 31), date(2026, 2, 14), date(2026, 3, 2)])
MONTHS = st.sampled_from([date(2026, 1, 1), date(2026, 2, 1)])
PRICES = st.sampled_from(["0", "0.01", "33.33", "80", "199.995", "1250"])
AMOUNTS = st.sampled_from(["0.01", "10", "33.34", "85.2", "500", "2000"])
PICK = st.integers(0, 40)
SEEN: Counter[str] = Counter()


class Life(RuleBasedStateMachine):
    """Two customers, one tax zone, and everything one may do to their invoices."""

    def __init__(self) -> None:
        super().__init__()
        build = Build()
        zone = build.zone("6.25", "1.5")
        self.places = [build.location(zone=zone), build.location(zone=zone)]
        self.desk = payment_types()[0]
        self.cash = ZERO  # what lies in Undeposited Funds, by our own account
        for place in self.places:
            build.invoice("120", "33.33", location=place)
            build.payment(place.customer, "75")
            self.cash += Money.of("75")

    def teardown(self) -> None:
        db.session.rollback()

    # --- invoices -------------------------------------------------------------------------

    @rule(who=PICK, on=DAYS, prices=st.lists(PRICES, max_size=3))
    def start(self, who: int, on: date, prices: list[str]) -> None:
        place = self.places[who % 2]
        wanted = ManualInvoice(place.customer, location=place, invoice_date=on)
        self.step("start", lambda: start_manual_invoice(wanted, [_line(one) for one in prices]))

    @rule(which=PICK, price=PRICES)
    def add_line(self, which: int, price: str) -> None:
        if invoice := self.pick(Invoice, which):
            self.step("add line", lambda: add_line(invoice, _line(price)))

    @rule(which=PICK, price=PRICES)
    def change_line(self, which: int, price: str) -> None:
        invoice = self.pick(Invoice, which)
        if invoice and invoice.lines:
            line, version = invoice.lines[0], invoice.version
            self.step(
                "change line", lambda: change_line(invoice, line, _line(price), version=version)
            )

    @rule(which=PICK)
    def remove_line(self, which: int) -> None:
        invoice = self.pick(Invoice, which)
        if invoice and invoice.lines:
            line = invoice.lines[-1]
            self.step("remove line", lambda: remove_line(invoice, line))

    @rule(which=PICK)
    def cancel(self, which: int) -> None:
        if invoice := self.pick(Invoice, which):
            self.step("cancel", lambda: cancel_invoice(invoice, because="a test"))

    @rule(which=PICK)
    def post(self, which: int) -> None:
        if invoice := self.pick(Invoice, which):
            self.step("post", lambda: post_invoice(invoice))

    @rule(which=PICK)
    def unpost(self, which: int) -> None:
        if invoice := self.pick(Invoice, which):
            self.step("unpost", lambda: unpost_invoice(invoice, because="a test"))

    @rule(which=PICK)
    def credit_note(self, which: int) -> None:
        if invoice := self.pick(Invoice, which):
            self.step("credit note", lambda: start_credit_note(invoice, because="a test"))

    @rule(which=PICK, price=PRICES, back=st.booleans())
    def adjust(self, which: int, price: str, back: bool) -> None:
        if invoice := self.pick(Invoice, which):
            line = _line(price, "-0.5" if back else "1")
            self.step(
                "adjustment", lambda: add_line(start_adjustment(invoice, because="a test"), line)
            )

    @rule(which=PICK, amount=AMOUNTS, whole=st.booleans())
    def write_off(self, which: int, amount: str, whole: bool) -> None:
        if invoice := self.pick(Invoice, which):
            part = None if whole else Money.of(amount)
            self.step("write-off", lambda: write_off(invoice, part, because="a test"))

    @rule(which=PICK, amount=AMOUNTS)
    def finance(self, which: int, amount: str) -> None:
        if invoice := self.pick(Invoice, which):
            payer = next(one.customer for one in self.places if one.customer != invoice.customer)
            part = min(Money.of(amount), invoice.balance)
            self.step("finance", lambda: finance(invoice, payer, part, because="a test"))

    @rule(which=PICK)
    def undo_financing(self, which: int) -> None:
        invoice = self.pick(Invoice, which)
        if invoice and (pairs := financings_of(invoice)):
            self.step("undo financing", lambda: undo_financing(pairs[0], because="a test"))

    @rule(which=PICK, how=PICK)
    def post_in_a_batch(self, which: int, how: int) -> None:
        invoice = self.pick(Invoice, which)
        if invoice and invoice.state is InvoiceState.PENDING:
            wanted = WhenRefused.POST_NONE if how % 2 else WhenRefused.POST_REST
            self.step("post in a batch", lambda: _post_in_a_batch(invoice, wanted))

    @rule(which=PICK)
    def unpost_a_batch(self, which: int) -> None:
        if batch := self.pick(Batch, which):
            self.step("unpost a batch", lambda: unpost_batch(batch, because="a test"))

    # --- money ----------------------------------------------------------------------------

    @rule(which=PICK, amount=AMOUNTS, on=DAYS)
    def pay(self, which: int, amount: str, on: date) -> None:
        if invoice := self.pick(Invoice, which):
            money = ReceivedMoney(invoice.customer, Money.of(amount), self.desk, on)
            share = [(invoice, money.amount)] if invoice.state is not InvoiceState.CANCELLED else []
            self.step("pay", lambda: receive_payment(money, share), cash=money.amount)

    @rule(which=PICK, whose=PICK, amount=AMOUNTS, on=DAYS)
    def apply(self, which: int, whose: int, amount: str, on: date) -> None:
        invoice, payment = self.pick(Invoice, which), self.pick(Payment, whose)
        if invoice and payment:
            self.step("apply", lambda: apply_payment(payment, invoice, Money.of(amount), on=on))

    @rule(which=PICK, on=DAYS)
    def use_credit(self, which: int, on: date) -> None:
        if invoice := self.pick(Invoice, which):
            self.step("use credit", lambda: apply_credit(invoice, on=on))

    @rule(which=PICK)
    def unapply(self, which: int) -> None:
        if application := self.pick(PaymentApplication, which):
            self.step("unapply", lambda: unapply(application))

    @rule(which=PICK, to=PICK, amount=AMOUNTS, on=DAYS)
    def move(self, which: int, to: int, amount: str, on: date) -> None:
        application, invoice = self.pick(PaymentApplication, which), self.pick(Invoice, to)
        if application and invoice:
            self.step(
                "move", lambda: move_application(application, invoice, Money.of(amount), on=on)
            )

    @rule(which=PICK, amount=AMOUNTS, on=DAYS)
    def correct_payment(self, which: int, amount: str, on: date) -> None:
        if payment := self.pick(Payment, which):
            words = PaymentWords(self.desk, Money.of(amount), on)
            more, version = words.amount - payment.counts, payment.version
            self.step(
                "correct payment",
                lambda: change_payment(payment, words, version=version),
                cash=more,
            )

    @rule(which=PICK)
    def delete_payment(self, which: int) -> None:
        if payment := self.pick(Payment, which):
            less, version = payment.amount, payment.version
            self.step(
                "delete payment", lambda: delete_payment(payment, version=version), cash=-less
            )

    @rule(which=PICK, on=DAYS)
    def bounce(self, which: int, on: date) -> None:
        if payment := self.pick(Payment, which):
            less = payment.amount
            self.step(
                "bounce", lambda: return_payment(payment, ReturnReason.BOUNCED, on=on), cash=-less
            )

    @rule(which=PICK, what=PICK, why=PICK, amount=AMOUNTS, on=DAYS)
    def refund(self, which: int, what: int, why: int, amount: str, on: date) -> None:
        payment = self.pick(Payment, which)
        if payment and (sources := sources_of_payment(payment)):
            source, reasons = sources[what % len(sources)], refund_reasons()
            reason = reasons[why % len(reasons)]
            money = min(Money.of(amount), source.limit) if why % 3 else Money.of(amount)
            words = RefundWords(reason, self.desk, money, on, effect=reason.effect)
            self.step(f"refund {reason.effect}", lambda: refund(source, words), cash=-money)

    @rule(which=PICK)
    def void_refund(self, which: int) -> None:
        if payment := self.pick(Payment, which):
            more, version = -payment.amount, payment.version
            self.step("void refund", lambda: void_refund(payment, version=version), cash=more)

    @rule(which=PICK)
    def post_payment(self, which: int) -> None:
        if payment := self.pick(Payment, which):
            self.step("post payment", lambda: _all_done(post_payments([payment.id])))

    # --- periods --------------------------------------------------------------------------

    @rule(month=MONTHS, really=st.integers(0, 5))
    def close(self, month: date, really: int) -> None:
        if really == 5:  # a closed month refuses most verbs: let there be lives in open ones
            self.step("close", lambda: close_through(month))

    @rule(month=MONTHS)
    def reopen(self, month: date) -> None:
        self.step("reopen", lambda: reopen_month(month))

    # --- what holds after each step -------------------------------------------------------

    def step(self, name: str, verb: Callable[[], object], *, cash: Money = ZERO) -> None:
        """Carry one verb out as a request would; `cash` is what it brings in when not refused."""
        try:
            with db.session.begin_nested():
                verb()
            self.cash += cash
            SEEN[name] += 1
        except DomainError as refusal:
            if not str(refusal).endswith("."):
                raise AssertionError("a refusal is a sentence") from refusal
            SEEN[f"{name}: refused"] += 1
        db.session.expire_all()
        assert verify_books() == []
        assert _booked(AccountRole.UNDEPOSITED) == self.cash

    def pick(self, table: type, which: int) -> object:
        """Some row of a table, newest first, or None while there is none."""
        count = db.session.scalar(sa.select(sa.func.count()).select_from(table))
        if not count:
            return None
        query = sa.select(table).order_by(table.id.desc()).offset(which % count).limit(1)
        return db.session.scalars(query).one()


def _all_done(outcome: PaymentPosting | PostingOutcome) -> None:
    if outcome.refused:
        raise DomainError(outcome.refused[0][1])


def _post_in_a_batch(invoice: Invoice, how: WhenRefused) -> None:
    """What the worker does with a batch, without its transactions: tests/batches has those."""
    batch = start_batch("A test")
    db.session.flush()
    add_invoices(batch, [invoice.id])
    _all_done(post_invoices([invoice.id], batch_id=batch.id))
    batch.when_refused, batch.state = how, BatchState.POSTED


def _line(price: str, quantity: str = "1.5") -> LineWords:
    return LineWords("Labor", Quantity.of(quantity), UnitPrice.of(price))


def _booked(role: AccountRole) -> Money:
    query = sa.select(total_of(JournalLine.amount))
    return db.session.scalar(query.where(JournalLine.account_id == account_id_for(role))) or ZERO


def test_the_books_balance_after_every_step_of_any_life(app, request: pytest.FixtureRequest):
    SEEN.clear()
    steps = request.config.getoption("--life-steps")
    daily = steps == DAILY_STEPS  # the same lives for everybody
    first = request.config.getoption("--life-seed")
    if first is None:
        first = 0 if daily else secrets.randbelow(1_000_000)
    for again in count_up():
        print(f"--life-seed={first + again}")  # shown when a life fails: it is lived again by this
        left = steps - SEEN.total()  # not every draw finds a row to act on
        how = settings(
            max_examples=max(left // STEPS_OF_A_LIFE, 1),
            stateful_step_count=STEPS_OF_A_LIFE,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # a life is short; shrinking one takes many minutes
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(seed(first + again)(Life), settings=how)
        if SEEN.total() >= steps * (0.5 if daily else 1):
            break
    print(f"{SEEN.total():6} steps")
    for name, count in sorted(SEEN.items()):
        print(f"{count:6} {name}")
