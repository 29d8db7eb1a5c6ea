"""A run makes each customer's statement once, by the right way, and says whom it left out."""

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from portal.batches import look_at_print_run, start_print_runs
from portal.customers import ContactWords, add_contact
from portal.db import db
from portal.dunning import StandingWords, change_standing
from portal.files import open_file
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import Money
from portal.models import (
    Channel,
    Customer,
    Delivery,
    Message,
    MessageTemplate,
    PrintRun,
    Statement,
    StatementItem,
    StatementItemState,
    StatementKind,
    StatementRun,
    StatementRunState,
    StatementShare,
    StatementWay,
)
from portal.outbox import Words, attachment_bytes, note_bounce
from portal.statements import (
    Audience,
    MonthlyWords,
    Rules,
    RunOrder,
    StatementWanted,
    audience_ids,
    change_settings,
    find_candidates,
    ids_to_print,
    look_at_share,
    mark_printed,
    outlook,
    send_monthly,
    start_run,
    statement_bytes,
    stop_run,
    waiting_shares,
)
from portal.statements import working as at_work
from portal.tasks import run_waiting
from portal.web import PageRequest

S = StatementItemState
HOUSE = {"street": "1 Main St", "city": "Springfield", "region": "IL", "postal_code": "62701"}


def begin(build, *customers, kind=StatementKind.OPEN_ITEM, starts_on=None, **how):
    wanted = StatementWanted(kind, build.today, starts_on)
    ids = [one.id for one in customers]
    run = start_run(ids, RunOrder(wanted, **how), today=build.today)
    db.session.commit()
    return run


def work(run):
    shares = db.session.scalars(sa.select(StatementShare.id).where(StatementShare.run_id == run.id))
    for share in shares.all():
        look_at_share(share)
    return run


def send(build, *customers, **how):
    return work(begin(build, *customers, **how))


def outcome(run, customer):
    query = sa.select(StatementItem).where(
        StatementItem.run_id == run.id, StatementItem.customer_id == customer.id
    )
    item = db.session.scalars(query.execution_options(populate_existing=True)).one()
    return item.state, item.sentence


def owing(build, name="Ada Lovelace", amount="100.00", **words):
    customer = build.customer(name, **words)
    build.posted(amount, customer=customer)
    return customer


def messages():
    query = sa.select(Message).where(Message.kind == "statement").order_by(Message.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def statements():
    return db.session.scalars(sa.select(Statement).order_by(Statement.id)).all()


def words_of(pdf):
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_each_goes_by_the_way_its_customer_prefers_and_nobody_gets_anothers(build, smtp):
    smtp()
    ways = {way: owing(build, f"Customer {way}", delivery=way, **HOUSE) for way in Delivery}

    run = send(build, *ways.values())

    assert {way: outcome(run, one)[0] for way, one in ways.items()} == {
        Delivery.EMAIL: S.QUEUED,
        Delivery.MAIL: S.TO_PRINT,
        Delivery.BOTH: S.TO_PRINT,
        Delivery.SMS: S.QUEUED,
    }
    assert {one.recipient for one in messages()} == {
        ways[way].email for way in (Delivery.EMAIL, Delivery.BOTH, Delivery.SMS)
    }
    for message in messages():
        customer = db.session.get_one(Statement, message.subject_id).customer
        paper = words_of(attachment_bytes(message.attachments[0]))
        assert message.recipient == customer.email
        assert customer.name in paper
        assert customer.name in message.body
        others = [one.name for one in ways.values() if one is not customer]
        assert not [name for name in others if name in paper or name in message.body]
    assert db.session.get_one(StatementRun, run.id).state is StatementRunState.DONE


def test_whom_it_leaves_out_is_listed_with_the_reason(build, smtp):
    smtp()
    good, no_mail, no_paper = owing(build, "Good"), owing(build, "Mute"), owing(build, "Lost")
    no_mail.email = no_mail.contacts[0].email = ""
    no_paper.delivery = Delivery.MAIL
    gone, settled, rich = owing(build, "Gone"), build.customer("Settled"), build.customer("Rich")
    gone.active = False
    build.payment(rich, "15.00")

    run = send(build, good, no_mail, no_paper, gone, settled, rich)

    assert outcome(run, good) == (S.QUEUED, f"By email to {good.email}.")
    assert outcome(run, no_mail) == (S.LEFT_OUT, "There is no email address.")
    assert outcome(run, no_paper) == (S.LEFT_OUT, "There is no postal address.")
    assert outcome(run, gone) == (S.LEFT_OUT, "Gone is not active any more.")
    assert outcome(run, settled) == (S.LEFT_OUT, "Nothing is open.")
    assert outcome(run, rich) == (S.LEFT_OUT, "There is only credit, and those are left out.")
    assert len(messages()) == len(statements()) == 1


def test_credit_only_accounts_get_one_when_the_run_says_so(build):
    rich = build.customer("Rich")
    build.payment(rich, "15.00")

    send(build, rich, credit_only=True)

    (statement,) = statements()
    assert (statement.due, statement.closing) == (Money.of(-15), Money.of(-15))
    assert "There is nothing to pay" in words_of(statement_bytes(statement.id))
    assert "/pay/statement/" not in messages()[0].body


def test_who_has_more_credit_than_is_open_is_not_asked_to_pay(build):
    rich = owing(build, "Rich", "30.00")
    build.payment(rich, "50.00")

    send(build, rich, credit_only=True)

    (statement,) = statements()
    assert statement.due == Money.of(-20)
    assert "Amount enclosed" not in words_of(statement_bytes(statement.id))
    assert "/pay/statement/" not in messages()[0].body


@pytest.mark.parametrize("flag", [{"bankrupt": True}, {"represented": "Lee"}, {"ceased": True}])
def test_a_run_asks_nobody_who_must_not_be_asked(build, flag):
    ada, bea = owing(build, "Ada"), owing(build, "Bea")
    change_standing(ada, StandingWords(**flag), version=0)
    db.session.commit()

    run = send(build, ada, bea)

    assert outcome(run, ada)[0] is S.LEFT_OUT
    assert outcome(run, bea)[0] is S.QUEUED
    (row,) = [one for one in foreseen(build) if one.why_not]
    assert (row.customer_id, row.why_not) == (ada.id, "protected")


def foreseen(build):
    return find_candidates(Audience(), Rules(), PageRequest(), on=build.today).rows


def test_who_is_deactivated_while_the_paper_is_made_gets_nothing(build, monkeypatch):
    ada, bea = owing(build, "Ada"), owing(build, "Bea")
    run = begin(build, ada, bea)
    real = at_work._prepare_some

    def deactivated_meanwhile(share_id):
        drafts = real(share_id)
        customer = db.session.get_one(type(ada), ada.id)
        if customer.active:
            customer.active = False
            db.session.commit()
        return drafts

    monkeypatch.setattr(at_work, "_prepare_some", deactivated_meanwhile)
    work(run)

    assert outcome(run, ada) == (S.LEFT_OUT, "Ada is not active any more.")
    assert outcome(run, bea)[0] is S.QUEUED
    assert [one.recipient for one in messages()] == [bea.email]


def test_two_workers_a_repeat_and_a_dead_worker_send_each_once(build):
    customers = [owing(build, f"Customer {n}") for n in range(4)]
    run = begin(build, *customers)
    (share,) = list(waiting_shares())
    held = at_work.in_transaction
    calls = []

    def dies_after_the_paper(act):
        calls.append(act)
        raise KeyboardInterrupt

    at_work.in_transaction = dies_after_the_paper
    try:
        with pytest.raises(KeyboardInterrupt):
            look_at_share(share)
    finally:
        at_work.in_transaction = held
    db.session.rollback()
    assert calls
    assert messages() == []
    assert list(waiting_shares()) == []
    look_at_share(share)  # another worker, while the dead one's lease still runs
    assert messages() == []

    with clock.frozen(clock.now() + timedelta(seconds=at_work.LEASE + 1)):
        assert list(waiting_shares()) == [share]
        work(run)
        work(run)

    assert len(messages()) == len(statements()) == 4


def test_a_worker_whose_lease_was_taken_over_hands_nothing_over(build, monkeypatch):
    run = begin(build, owing(build))
    real = at_work._prepare_some

    def too_slow(share_id):
        drafts = real(share_id)
        db.session.execute(
            sa.update(StatementShare).values(claimed_until=clock.now() + timedelta(hours=1))
        )
        db.session.commit()
        return drafts

    monkeypatch.setattr(at_work, "_prepare_some", too_slow)
    work(run)

    assert messages() == statements() == []


def test_a_stopped_run_makes_no_more(build, monkeypatch):
    monkeypatch.setattr(at_work, "CHUNK", 1)
    customers = [owing(build, f"Customer {n}") for n in range(3)]
    run = begin(build, *customers)
    real = at_work._hand_over

    def stops_after_one(*args):
        result = real(*args)
        if db.session.get_one(StatementRun, run.id).state is StatementRunState.WAITING:
            stop_run(db.session.get_one(StatementRun, run.id))
        return result

    monkeypatch.setattr(at_work, "_hand_over", stops_after_one)
    work(run)

    assert len(messages()) == 1
    with pytest.raises(DomainError, match="over already"):
        stop_run(db.session.get_one(StatementRun, run.id))


def test_what_was_sent_is_kept_as_it_was(build):
    customer = owing(build)
    send(build, customer)
    (statement,) = statements()
    before = statement_bytes(statement.id)

    customer.name = "Somebody Else"
    build.payment(customer, "100.00")
    db.session.commit()

    assert statement_bytes(statement.id) == before == open_file(statement.file_key)
    assert (statement.customer_name, statement.due) == ("Ada Lovelace", Money.of(100))


def test_a_customer_is_left_in_peace_for_the_weeks_between(build):
    customer = owing(build)
    send(build, customer)

    with clock.frozen(clock.now() + timedelta(days=13)):
        run = send(build, customer, weeks_between=2)
        assert outcome(run, customer)[0] is S.LEFT_OUT
        assert "less than 2 weeks ago" in outcome(run, customer)[1]
        seen = outlook(Audience(), Rules(weeks_between=2), on=build.today)
        assert seen.left_out == {"soon": 1}
    with clock.frozen(clock.now() + timedelta(days=14)):
        run = send(build, customer, weeks_between=2)
        assert outcome(run, customer)[0] is S.QUEUED
    assert len(statements()) == 2


def test_words_with_an_unknown_placeholder_are_refused_before_anything_begins(build):
    customer = owing(build)
    with pytest.raises(InvalidFields, match="nonsense"):
        begin(build, customer, words=Words("Statement", "Hello {nonsense}"))
    db.session.add(
        MessageTemplate(
            kind="statement", channel=Channel.EMAIL, language="es", subject="S", body="{number}"
        )
    )
    with pytest.raises(DomainError, match="statement mail \\(es\\)"):
        begin(build, customer)
    begin(build, customer, way=StatementWay.PRINT)

    assert db.session.scalar(sa.select(sa.func.count()).select_from(StatementRun)) == 1


def test_mail_that_came_back_is_not_sent_to_the_same_address_again(build, smtp):
    smtp()
    customer = owing(build)
    add_contact(customer, ContactWords(name="Second", email="second@example.org"))
    send(build, customer)
    run_waiting()
    note_bounce(next(one for one in messages() if one.recipient == customer.email), "550 unknown")
    db.session.commit()

    run = send(build, customer)

    assert outcome(run, customer) == (S.QUEUED, "By email to second@example.org.")


def test_the_print_list_is_one_pdf_by_postcode_and_marked_once(build):
    for name, code in (("Zed", "62703"), ("Ada", "62701"), ("Bob", "62702")):
        owing(build, name, delivery=Delivery.MAIL, **{**HOUSE, "postal_code": code})
    send(build, *list(db.session.scalars(sa.select(Customer)).all()))

    ids = ids_to_print()
    (run,) = start_print_runs("Statements", ids, by=None, document_kind="statement")
    db.session.commit()
    look_at_print_run(run.id)

    text = words_of(open_file(db.session.get_one(PrintRun, run.id).file_key))
    assert text.index("Ada") < text.index("Bob") < text.index("Zed")
    assert len(mark_printed(ids)) == 3
    assert mark_printed(ids) == []
    assert ids_to_print() == []


def test_copies_of_the_open_invoices_follow_the_statement(build):
    customer = owing(build)
    second = build.posted("50.00", customer=customer)

    send(build, customer, copies=True)

    pages = PdfReader(io.BytesIO(statement_bytes(statements()[0].id))).pages
    assert len(pages) == 3
    assert second.document_number in pages[2].extract_text()


def test_balance_forward_runs_tell_the_range(build):
    customer = owing(build)
    start = build.today - timedelta(days=30)

    send(build, customer, kind=StatementKind.BALANCE_FORWARD, starts_on=start)

    (statement,) = statements()
    assert (statement.starts_on, statement.opening, statement.closing) == (
        start, Money.of(0), Money.of(100),
    )  # fmt: skip
    assert "Balance forward" in words_of(statement_bytes(statement.id))


def test_the_month_has_one_run_on_its_day_or_after(build):
    owing(build)
    small = owing(build, "Small", "5.00")
    change_settings(MonthlyWords(monthly=True, day_of_month=3, least=Money.of(10)), version=0)
    db.session.commit()

    send_monthly()
    assert db.session.scalar(sa.select(StatementRun.id)) is None
    with clock.frozen(clock.now() + timedelta(days=2)):
        send_monthly()
        send_monthly()

    (run,) = db.session.scalars(sa.select(StatementRun)).all()
    assert (run.slot, run.rows_total) == ("2026-03", 1)
    query = sa.select(StatementItem).where(StatementItem.customer_id == small.id)
    assert db.session.scalar(query) is None
    with pytest.raises(InvalidFields):
        change_settings(MonthlyWords(day_of_month=32, weeks_between=-1), version=1)


def test_the_outlook_counts_what_the_run_will_do(build):
    owing(build, "Ada")
    owing(build, "Paper", "50.00", delivery=Delivery.MAIL, **HOUSE)
    mute = owing(build, "Mute", "10.00")
    mute.email = mute.contacts[0].email = ""
    rich = build.customer("Rich")
    build.payment(rich, "15.00")
    db.session.flush()

    seen = outlook(Audience(), Rules(), on=build.today)

    assert (seen.total, seen.due, seen.by_mail, seen.on_paper) == (4, Money.of(150), 1, 1)
    assert seen.left_out == {"no mail": 1, "credit": 1}
    assert len(audience_ids(Audience(), on=build.today)) == 4
    assert len(audience_ids(Audience(least=50), on=build.today)) == 2
    assert audience_ids(Audience(late=1), on=build.today) == []
    late = audience_ids(Audience(late=31), on=build.today + timedelta(days=40))
    assert len(late) == 3
    page = find_candidates(Audience(q="a"), Rules(), PageRequest(), on=build.today)
    assert [(one.name, one.due) for one in page.rows] == [
        ("Ada", Money.of(100)),
        ("Paper", Money.of(50)),
    ]


def test_a_day_that_has_not_come_is_refused(build):
    wanted = StatementWanted(StatementKind.OPEN_ITEM, build.today + timedelta(days=1))
    with pytest.raises(InvalidFields):
        start_run([owing(build).id], RunOrder(wanted), today=build.today)


def test_a_large_run_is_shared_by_two_workers(build, monkeypatch):
    monkeypatch.setattr("portal.statements.runs.SMALL", 1)
    customers = [owing(build, f"Customer {n}") for n in range(5)]
    run = begin(build, *customers)

    first, second = waiting_shares()
    look_at_share(first)
    assert db.session.get_one(StatementRun, run.id).state is StatementRunState.WAITING
    look_at_share(second)

    assert db.session.get_one(StatementRun, run.id).state is StatementRunState.DONE
    assert len(statements()) == 5
