"""Outages, second thoughts, lost answers and late money: nothing is forgotten or doubled."""

import json
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.customers import ContactWords, CustomerWords, add_contact, add_customer
from portal.db import db
from portal.invoices import cancel_invoice, revoke_pay_links
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import (
    AccountingPeriod,
    AccountRole,
    AttemptState,
    BillingAccess,
    Dispute,
    GatewayEvent,
    GatewayEventState,
    Message,
    PaymentAttempt,
    PeriodState,
    SentState,
)
from portal.payment_collection import (
    CheckoutSeen,
    CheckoutState,
    CheckoutWanted,
    close_stale,
    due_attempts,
    handle_event,
    recheck,
    settle,
    stale_attempts,
    start_checkout,
    waiting_events,
)
from portal.payment_collection.gateways.test_gateway import TestGateway
from portal.payments import (
    apply_payment,
    credit_of,
    receipt_paper,
    unapply,
)
from portal.tasks import run_waiting
from tests.conftest import payer_client
from tests.payment_collection.test_settling import (
    begin,
    deliver,
    gateway,
    payments,
    press,
    state_of,
)


def look_at_what_is_due():
    for attempt_id in list(due_attempts()):
        recheck(attempt_id)


def ask(invoice, **words):
    wanted = {"started_by": "ada", "return_path": "/x/", **words}
    return start_checkout(CheckoutWanted(shares=[(invoice.id, invoice.balance)], **wanted))


def only_attempt():
    return db.session.scalars(
        sa.select(PaymentAttempt).execution_options(populate_existing=True)
    ).one()


@pytest.fixture
def unreachable(monkeypatch, app):
    def fail(*_order):
        raise OutsideFailure("The line is dead.")

    def cut(name):
        monkeypatch.setattr(gateway(), name, fail)

    return cut


def test_a_refused_opening_is_not_looked_at_for_ever(build, monday, monkeypatch):
    def refuse(_order):
        raise OutsideFailure("A bad key.", permanent=True)

    invoice = build.posted("80")
    db.session.commit()
    monkeypatch.setattr(gateway(), "open_checkout", refuse)
    with pytest.raises(DomainError):
        ask(invoice)

    assert only_attempt().state is AttemptState.FAILED
    with clock.frozen(monday + timedelta(days=1)):
        assert list(due_attempts()) == []


def test_a_pending_debit_is_found_after_an_outage_in_its_second_week(build, monday, monkeypatch):
    attempt_id, page = begin(build.posted("80"))
    press(page, "bank-debit")
    settle(attempt_id)
    for day in range(9):
        with clock.frozen(monday + timedelta(days=day, hours=2)):
            look_at_what_is_due()
    with monkeypatch.context() as dead:
        dead.setattr(gateway(), "look_up", lambda _ref: (_ for _ in ()).throw(OutsideFailure("x")))
        with clock.frozen(monday + timedelta(days=10)):
            look_at_what_is_due()
    press(page, "debit-settles")  # and both webhooks are lost
    for day in (11, 12):
        with clock.frozen(monday + timedelta(days=day)):
            look_at_what_is_due()

    assert len(payments()) == 1


def test_money_is_recorded_though_its_month_is_closed(build, monday):
    attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")
    db.session.add(AccountingPeriod(starts_on=date(2026, 3, 1), state=PeriodState.CLOSED))
    db.session.commit()

    settle(attempt_id)

    (payment,) = payments()
    assert payment.received_on == date(2026, 4, 1)
    assert payment.memo == "Received on Mar 2, 2026, in a closed period."


def test_money_found_late_has_the_day_it_was_received(build, monday):
    _attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")
    with clock.frozen(monday + timedelta(days=31)):
        look_at_what_is_due()

    assert payments()[0].received_on == date(2026, 3, 2)


def test_going_live_frees_what_test_pages_held(build, monday, app, monkeypatch):
    class Live(TestGateway):
        name, livemode = "stripe", True

    invoice = build.posted("80")
    attempt_id, _page = begin(invoice)
    monkeypatch.setitem(app.extensions, "gateway", Live("other", "http://localhost"))

    assert ask(invoice)

    assert state_of(attempt_id) is AttemptState.EXPIRED


def test_asking_again_after_a_lost_answer_asks_the_same_to_the_letter(build, monday, monkeypatch):
    asked = []

    def lose(order):
        asked.append(order)
        raise OutsideFailure("timeout")

    invoice = build.posted("80")
    db.session.commit()
    monkeypatch.setattr(gateway(), "open_checkout", lose)
    with pytest.raises(DomainError):
        ask(invoice, email="ada@example.org", language="fr")
    with clock.frozen(monday + timedelta(minutes=6)):
        look_at_what_is_due()

    assert len(asked) == 2
    assert asked[0] == asked[1]


@pytest.mark.parametrize("change", ["cancelled", "paid at the desk"])
def test_a_page_that_asks_for_too_much_is_closed(build, change):
    invoice = build.invoice("80")
    invoice.sent_state = SentState.SENT
    attempt_id, page = begin(invoice)
    if change == "cancelled":
        cancel_invoice(invoice, because="a mistake")
    else:
        build.payment(invoice.customer, "80", invoice)
    db.session.commit()
    run_waiting()

    with pytest.raises(DomainError):
        press(page, "succeed")
    assert state_of(attempt_id) is AttemptState.EXPIRED


def test_closing_a_page_is_tried_until_the_gateway_hears_it(build, monkeypatch):
    from portal.tasks import look_at, sweep

    invoice = build.posted("80")
    attempt_id, _page = begin(invoice)
    with monkeypatch.context() as dead:
        dead.setattr(
            gateway(), "close_checkout", lambda _ref: (_ for _ in ()).throw(OutsideFailure("x"))
        )
        build.payment(invoice.customer, "80", invoice)
        db.session.commit()
        run_waiting()
    assert state_of(attempt_id) is AttemptState.OPEN

    for name, row in sweep():
        look_at(name, row)

    assert state_of(attempt_id) is AttemptState.EXPIRED


def test_a_page_for_a_part_stays_open_while_that_part_is_due(build):
    invoice = build.posted("80")
    attempt_id, page = begin(invoice, Money.of(30))
    build.payment(invoice.customer, "40")
    apply_payment(payments()[0], invoice, Money.of(40), on=build.today)
    db.session.commit()
    run_waiting()

    press(page, "succeed")
    assert settle(attempt_id) is AttemptState.SUCCEEDED
    assert invoice.balance == Money.of(10)


def test_paying_all_closes_each_page_opened_before(build):
    customer = build.customer()
    invoices = [build.posted("80", customer=customer) for _ in range(4)]
    before = [begin(one)[0] for one in invoices]

    shares = [(one.id, one.balance) for one in invoices]
    start_checkout(CheckoutWanted(shares=shares, started_by="ada", return_path="/x/"))

    assert {state_of(one) for one in before} == {AttemptState.EXPIRED}


def test_a_guest_never_gets_the_page_of_a_signed_in_payer(build):
    invoice = build.posted("80")
    db.session.commit()
    mine = ask(invoice, started_by="ada@example.org", return_path="/my/pay/back/")

    theirs = ask(invoice, started_by="guest link", return_path="/pay/token/back/")

    assert mine != theirs


def test_two_clicks_at_once_lead_to_one_page(build, app, monkeypatch):
    invoice = build.posted("80")
    db.session.commit()
    opening, second = gateway().open_checkout, []

    def slow(order):
        if not second:
            second.append("")
            with app.app_context():
                second.append(ask(invoice_again()))
                db.session.remove()
        return opening(order)

    def invoice_again():
        return db.session.get(type(invoice), invoice_id)

    invoice_id = invoice.id
    monkeypatch.setattr(gateway(), "open_checkout", slow)

    assert ask(invoice) == second[1]
    assert only_attempt().state is AttemptState.OPEN


def test_the_page_of_another_payment_is_not_believed(build, monkeypatch):
    attempt_id, _page = begin(build.posted("80"))
    astray = CheckoutSeen(CheckoutState.SUCCEEDED, "another", "s", "pi_9", Money.of(80))
    monkeypatch.setattr(gateway(), "look_up", lambda _ref: astray)

    assert settle(attempt_id) is AttemptState.UNKNOWN
    assert payments() == []


def test_a_payer_returns_over_a_link_that_was_revoked_meanwhile(build, client):
    invoice = build.posted("80")
    path = build.pay_path(invoice)
    page = client.post(path, data={"which": "all"}).location.rsplit("/", 1)[1]
    revoke_pay_links(invoice)
    press(page, "succeed")
    back = only_attempt().return_url.removeprefix("http://localhost")
    db.session.commit()

    assert "Thank you" in client.get(back).text
    assert client.get(f"/pay/wrong{back.removeprefix('/pay')}").status_code == 404
    assert client.get(path).status_code == 404


def test_a_page_left_open_stops_asking(build, client):
    path = build.pay_path(build.posted("80"))
    client.post(path, data={"which": "all"})
    back = only_attempt().return_url.removeprefix("http://localhost")
    db.session.commit()

    assert "turn=1" in client.get(back).text
    assert "hx-get" not in client.get(f"{back}?turn=20").text


def test_a_dispute_heard_of_before_its_payment_is_booked_later(build, monday):
    _attempt_id, page = begin(build.posted("80"))
    hooks = press(page, "succeed")
    for body in (*press(page, "dispute"), *hooks):
        deliver(body)
    assert db.session.scalars(sa.select(Dispute)).all() == []

    with clock.frozen(monday + timedelta(minutes=6)):
        for event_id in list(waiting_events()):
            handle_event(event_id)

    assert db.session.scalars(sa.select(Dispute)).one().amount == Money.of(80)


def test_an_event_that_keeps_failing_is_shown_to_a_person(build, monday):
    event = GatewayEvent(gateway="test", event_ref="e", kind="payment_intent.x", body=b'{"id":"e"}')
    db.session.add(event)
    db.session.commit()
    tries = 0
    for minute in range(0, 24 * 60, 3):
        with clock.frozen(monday + timedelta(minutes=minute)):
            for event_id in list(waiting_events()):
                tries += 1
                with pytest.raises(KeyError):
                    handle_event(event_id)

    db.session.refresh(event)
    assert (tries, event.state) == (5, GatewayEventState.PARKED)
    assert "KeyError" in event.note


def test_events_of_another_gateway_wait_for_it(build):
    db.session.add(GatewayEvent(gateway="stripe", event_ref="e", kind="payment_intent.x", body=b""))
    db.session.commit()

    assert list(waiting_events()) == []


def test_a_payout_that_failed_is_shown_to_a_person(app):
    event = {"id": "e9", "type": "payout.failed", "reference": "", "session": "", "payment": ""}
    deliver(json.dumps(event).encode())

    kept = db.session.scalars(sa.select(GatewayEvent).where(GatewayEvent.event_ref == "e9")).one()
    assert kept.state is GatewayEventState.PARKED


def test_disputed_money_is_nobodys_to_use(build):
    invoice = build.posted("80")
    other = build.posted("80", customer=invoice.customer)
    _attempt_id, page = begin(invoice)
    for body in (*press(page, "succeed"), *press(page, "dispute")):
        deliver(body)
    (payment,) = payments()
    unapply(payment.applications[0])

    with pytest.raises(DomainError, match="disputed"):
        apply_payment(payment, other, Money.of(80), on=build.today)

    assert credit_of(invoice.customer_id) == ZERO


def test_a_debit_that_comes_back_is_told_with_a_way_to_pay(build):
    invoice = build.posted("80")
    db.session.commit()
    page = ask(invoice, email="boss@example.org").rsplit("/", 1)[1]
    for button in ("bank-debit", "debit-fails"):
        for body in press(page, button):
            deliver(body)

    message = db.session.scalars(
        sa.select(Message).where(Message.kind == "payment came back")
    ).one()
    assert message.recipient == "boss@example.org"
    assert f"Invoice {invoice.number}: $80.00 due" in message.body
    assert "/pay/" in message.body


def test_the_receipt_goes_to_who_paid(app, build):
    customer = build.customer("Ada", email="ada@example.org")
    words = ContactWords("Boss", email="boss@example.org", billing_access=BillingAccess.PAY)
    add_contact(customer, words)
    invoice = build.posted("80", customer=customer)
    db.session.commit()
    browser = payer_client(app, "boss@example.org")
    page = browser.post(f"/my/pay/{invoice.id}", data={"which": "all"}).location.rsplit("/", 1)[1]
    press(page, "succeed")
    settle(only_attempt().id)

    receipt = db.session.scalars(sa.select(Message).where(Message.kind == "receipt")).one()
    assert receipt.recipient == "boss@example.org"


def test_no_receipt_is_promised_to_somebody_without_an_address(build, client):
    customer = add_customer(CustomerWords(name="No Mail"))
    db.session.flush()
    path = build.pay_path(build.posted("80", customer=customer))
    page = client.post(path, data={"which": "all"}).location.rsplit("/", 1)[1]
    press(page, "succeed")
    back = only_attempt().return_url.removeprefix("http://localhost")
    db.session.commit()

    assert "receipt comes" not in client.get(back).text


def test_a_receipt_says_what_was_left_then(build):
    invoice = build.posted("100")
    first = build.payment(invoice.customer, "40", invoice)
    build.payment(invoice.customer, "60", invoice)

    assert [line.left for line in receipt_paper(first.id).lines] == [Money.of(60)]


def test_invoices_of_two_customers_are_not_paid_together(build):
    invoices = [build.posted("80") for _ in range(2)]
    db.session.commit()
    shares = [(one.id, one.balance) for one in invoices]

    with pytest.raises(DomainError, match="different customers"):
        start_checkout(CheckoutWanted(shares=shares, started_by="ada", return_path="/x/"))


def test_what_was_paid_a_moment_ago_is_not_charged_again(build):
    invoice = build.posted("80")
    _attempt_id, page = begin(invoice)
    press(page, "succeed")  # and no webhook came yet

    with pytest.raises(DomainError, match="paid a moment ago"):
        ask(invoice, started_by="somebody else")

    assert len(payments()) == 1


def test_test_money_goes_to_a_clearing_account_of_its_own(build):
    _attempt_id, page = begin(build.posted("80"))
    for button in ("bank-debit", "debit-settles"):
        for body in press(page, button):
            deliver(body)

    (payment,) = payments()
    assert payment.type.account.role is AccountRole.TEST_CLEARING
    assert payment.livemode is False


def test_who_changes_an_invoice_never_waits_for_its_attempt(build):
    """An attempt is locked before its invoices; marking it here would be the other way round."""
    invoice = build.posted("80")
    attempt_id, _page = begin(invoice)
    written = []

    def listen(_connection, _cursor, statement, *_rest):
        if "payment_attempts" in statement and not statement.startswith("SELECT"):
            written.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", listen)
    try:
        build.payment(invoice.customer, "50", invoice)
        db.session.flush()
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", listen)
    assert written == []
    db.session.commit()
    run_waiting()
    assert state_of(attempt_id) is AttemptState.EXPIRED


def test_a_page_that_asks_for_too_much_is_closed_though_the_wake_up_was_lost(build, monkeypatch):
    invoice = build.posted("80")
    attempt_id, _page = begin(invoice)
    monkeypatch.setattr("portal.payment_collection.stale.wake", lambda *_words: None)
    build.payment(invoice.customer, "50", invoice)
    db.session.commit()
    assert list(stale_attempts()) == [attempt_id]

    close_stale(attempt_id)

    assert state_of(attempt_id) is AttemptState.EXPIRED
    assert list(stale_attempts()) == []


def test_a_page_never_heard_of_is_not_asked_for_again_after_its_key_is_forgotten(
    build, monday, monkeypatch
):
    invoice = build.posted("80")
    db.session.commit()
    asked, right = [], gateway().open_checkout

    def break_off(order):
        asked.append(order.reference)
        right(order)
        raise OutsideFailure("The line went dead.")

    monkeypatch.setattr(gateway(), "open_checkout", break_off)
    with pytest.raises(DomainError):
        ask(invoice)
    monkeypatch.setattr(gateway(), "open_checkout", lambda order: (asked.append(order.reference),
                                                                   right(order))[1])  # fmt: skip
    with clock.frozen(monday + timedelta(hours=25)):
        ask(db.session.get(type(invoice), invoice.id))

    assert len(asked) == len(set(asked)) == 2
