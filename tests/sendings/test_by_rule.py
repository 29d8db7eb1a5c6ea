"""Rules send at completion or posting; whom they cannot reach is told, not passed over."""

import pytest
import sqlalchemy as sa

from portal.company import business_units
from portal.db import db
from portal.invoices import Sending, invoice_of_job, post_invoice, send_invoice
from portal.jobs import complete_job, start_job
from portal.models import AutoSendRule, Message, SendingMoment, SendingRun
from portal.sendings import RuleWords, add_rule, not_sent_by_rule
from portal.tasks import run_waiting
from portal.web import PageRequest
from tests.conftest import count_statements

COMPLETION, POSTING = SendingMoment.COMPLETION, SendingMoment.POSTING


def messages():
    return db.session.scalars(sa.select(Message).order_by(Message.id)).all()


def rule(moment, **words):
    made = add_rule(RuleWords(name=f"Rule {moment} {words}", moment=moment, **words))
    db.session.commit()
    return made


def finished(build, *, job_type="", items=1):
    job = build.job(items=tuple(build.item() for _ in range(items)))
    job.job_type = job_type
    start_job(job)
    complete_job(job)
    db.session.commit()
    run_waiting()
    return invoice_of_job(job)


def left_out():
    return [(one.invoice_id, one.sentence) for one in not_sent_by_rule(PageRequest()).rows]


def test_without_a_rule_nothing_is_sent(build):
    finished(build)
    build.posted("10")
    db.session.commit()
    run_waiting()

    assert messages() == []
    assert db.session.scalars(sa.select(SendingRun)).all() == []


def test_a_completed_job_of_that_type_sends_its_draft(build):
    rule(COMPLETION, job_type="Maintenance")
    finished(build, job_type="Repair")
    invoice = finished(build, job_type=" maintenance")

    (message,) = messages()
    assert message.subject_id == invoice.id


def test_a_completed_job_without_lines_is_not_sent_and_that_is_told(build, office):
    made = rule(COMPLETION)
    invoice = finished(build, items=0)

    assert messages() == []
    ((number, why),) = left_out()
    assert number == invoice.id
    assert why.startswith(f"By the rule “{made.name}”: Give the invoice a date and at least one")
    for page in ("/staff/", "/staff/outbox", "/staff/sendings"):
        assert "A rule could not send one invoice." in office.get(page).text


def test_posting_sends_what_fits_and_one_press_is_enough(build):
    unit = business_units()[0] if business_units() else None
    rule(POSTING, business_unit_id=unit.id if unit else None)
    first = build.invoice("10")
    first.business_unit_id = unit.id if unit else None
    post_invoice(first)
    db.session.commit()
    run_waiting()

    assert [one.subject_id for one in messages()] == [first.id]


def test_what_was_sent_at_completion_is_not_sent_again_at_posting(build):
    rule(COMPLETION)
    rule(POSTING)
    invoice = finished(build)
    post_invoice(invoice)
    db.session.commit()
    run_waiting()

    assert len(messages()) == 1
    assert left_out() == []


def test_a_customer_who_wants_none_by_rule_gets_none(build):
    rule(POSTING)
    invoice = build.invoice("10")
    invoice.customer.auto_send = False
    post_invoice(invoice)
    db.session.commit()
    run_waiting()

    assert (messages(), left_out()) == ([], [])


def test_a_customer_without_an_address_is_listed_until_somebody_sends_it(build):
    rule(POSTING)
    invoice = build.invoice("10")
    invoice.customer.email = invoice.customer.contacts[0].email = ""
    post_invoice(invoice)
    db.session.commit()
    run_waiting()
    assert [number for number, _why in left_out()] == [invoice.id]

    send_invoice(invoice, Sending(to=["ada@example.org"]))
    db.session.commit()

    assert left_out() == []


def test_a_rule_out_of_use_sends_nothing(build):
    rule(POSTING, active=False)
    build.posted("10")
    db.session.commit()
    run_waiting()

    assert messages() == []


def test_posting_without_rules_costs_one_statement(build):
    from portal.invoices import InvoicesPosted
    from portal.sendings import send_posted

    invoices = [build.posted("1") for _ in range(3)]
    db.session.commit()
    assert [one.customer.name for one in invoices]

    with count_statements() as statements:
        send_posted(InvoicesPosted(invoices))

    assert len([one for one in statements if "auto_send_rules" in one]) == 1
    assert len(statements) <= 2


@pytest.mark.parametrize("moment", list(SendingMoment))
def test_a_rule_remembers_its_changes(build, moment):
    from portal.audit import trail_of
    from portal.sendings import change_rule

    made = rule(moment)
    change_rule(made, RuleWords(name="Other", moment=moment), version=made.version)
    db.session.commit()

    kept = db.session.scalars(sa.select(AutoSendRule)).one()
    assert trail_of(kept)[0].sentence == "The sending rule Other was changed."
