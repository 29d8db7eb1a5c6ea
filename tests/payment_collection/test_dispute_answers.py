"""A dispute is answered once, with what our own records show."""

import io
import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from portal.audit import trail_of
from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields, OutsideFailure
from portal.models import (
    Consent,
    ConsentKind,
    Contact,
    DisputeState,
    Invoice,
    JobNote,
    SignIn,
    TestGatewayObject,
)
from portal.payment_collection import (
    Enclosure,
    answer_dispute,
    answer_problem,
    evidence_pdf,
    get_dispute,
    proposed_words,
    said_of,
    waiting_answers,
)
from portal.payment_collection.dispute_answers import send_answer
from portal.payment_collection.evidence import invoices_paid_by
from portal.tasks import look_at, run_waiting, sweep
from tests.payment_collection.money_back import house, only_dispute, paid, told


@pytest.fixture
def dispute(build):
    payment, _invoice = paid(build)
    told(payment, "dispute")
    return get_dispute(only_dispute().id)


def answer(dispute, **more):
    answer_dispute(dispute, {**proposed_words(dispute), **more})
    db.session.commit()
    run_waiting()
    return only_dispute()


def text_of(pdf):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_the_evidence_is_made_from_our_records(dispute):
    words = proposed_words(dispute)

    text = text_of(evidence_pdf(dispute, words))

    assert "Ada Lovelace" in text
    assert dispute.dispute_ref in text.replace("\n", "")
    assert "Invoice INV-2026-00001" in text  # the cover names it, and it is attached
    assert "Receipt" in text
    assert "customer1@example.org" in words["customer_email"] + text
    assert words["what_was_sold"].startswith("INV-2026-00001")


def test_our_own_notes_stay_here_unless_somebody_ticks_them(dispute, invoice_note):
    words = proposed_words(dispute)

    assert invoice_note not in text_of(evidence_pdf(dispute, words))
    assert invoice_note in text_of(evidence_pdf(dispute, words, set(Enclosure)))


def test_only_what_is_ticked_goes_along(dispute):
    text = text_of(evidence_pdf(dispute, proposed_words(dispute), {Enclosure.MESSAGES}))

    assert "Receipt from" in text  # the message
    assert "Receipt" not in text.replace("Receipt from", "")
    assert "Invoice INV" not in text


def test_internet_addresses_go_only_with_a_consent(dispute):
    customer = dispute.payment.customer
    db.session.add(Contact(customer_id=customer.id, name="Ada", email="ada@example.org"))
    sign_in_customer("ada@example.org")
    db.session.add(Consent(customer_id=customer.id, kind=ConsentKind.AUTOPAY, text="Charge me.",
                           given_by="Ada", address="203.0.113.9"))  # fmt: skip
    db.session.commit()
    words = proposed_words(dispute)

    everything = text_of(evidence_pdf(dispute, words))
    assert "ada@example.org" in everything
    assert "198.51.100.7" not in everything
    assert "203.0.113.9" in everything
    without = text_of(evidence_pdf(dispute, words, set(Enclosure) - {Enclosure.CONSENTS}))
    assert "203.0.113.9" not in without


def sign_in_customer(email):
    at = clock.now()
    db.session.add(SignIn(contact_email=email, token_hash="h", ip="198.51.100.7", agent="",
                          last_seen_at=at, expires_at=at + timedelta(days=1)))  # fmt: skip


@pytest.fixture
def invoice_note(dispute, build):
    note = "The customer argues about everything"
    invoice = invoices_paid_by(dispute.payment)[0]
    job = build.job()
    db.session.scalars(sa.select(Invoice).where(Invoice.job_id == job.id)).one().job = None
    db.session.flush()
    invoice.job = job
    job.notes.append(JobNote(text=note, written_at=clock.now()))
    db.session.commit()
    return note


def test_it_is_kept_as_it_is_sent_and_then_sent_once(dispute):
    answered = answer(dispute, explanation="We did the work.")

    assert answered.answered_at
    assert answered.state is DisputeState.UNDER_REVIEW
    assert said_of(answered)["explanation"] == "We did the work."
    kept = db.session.query(TestGatewayObject).filter_by(kind="dispute").one()
    assert kept.data["answer"]["words"]["explanation"] == "We did the work."
    assert "answered already" in answer_problem(answered)
    with pytest.raises(DomainError, match="once"):
        answer(answered)
    answer(answered, explanation="We did the work.")  # the same again
    assert [one.verb for one in trail_of(answered)].count("answered") == 1


def test_an_answer_says_something(dispute):
    with pytest.raises(InvalidFields, match="why the charge was right"):
        answer(dispute, explanation=" ")


def test_an_answer_that_could_not_be_sent_is_sent_later(dispute, monkeypatch):
    def dead(*_words):
        raise OutsideFailure("no connection")

    with monkeypatch.context() as broken:
        broken.setattr(house(), "answer_dispute", dead)
        assert answer(dispute).answered_at is None
    assert "on its way" in answer_problem(only_dispute())
    assert list(waiting_answers()) == [dispute.id]
    for name, row_id in sweep():
        look_at(name, row_id)

    assert only_dispute().answered_at
    assert list(waiting_answers()) == []


def test_a_refused_answer_can_be_given_again(dispute, monkeypatch):
    def refuse(*_words):
        raise OutsideFailure("The file is too large.", permanent=True)

    with monkeypatch.context() as broken:
        broken.setattr(house(), "answer_dispute", refuse)
        refused = answer(dispute)
    assert (refused.file_key, refused.answered_at) == ("", None)
    assert "too large" in trail_of(refused)[0].sentence
    assert json.loads(refused.answer)["explanation"]

    assert answer(get_dispute(refused.id)).answered_at


def test_what_is_decided_is_not_answered(dispute):
    told(dispute.payment, "dispute-lost")

    assert "lost" in answer_problem(only_dispute())


def test_a_day_later_the_gateway_is_asked_before_an_answer_is_sent_again(
    dispute, monkeypatch, monday
):
    sent, taken = [], house().answer_dispute

    def take_it_and_break_off(ref, words, pdf, reference):
        sent.append(reference)
        taken(ref, words, pdf, reference)
        raise OutsideFailure("The line went dead.")

    monkeypatch.setattr(house(), "answer_dispute", take_it_and_break_off)
    answer(dispute)
    assert (len(sent), only_dispute().answered_at) == (1, None)
    db.session.commit()

    with clock.frozen(monday + timedelta(hours=24)):
        for name, row_id in sweep():
            if name == "dispute_answer":
                look_at(name, row_id)

    assert len(sent) == 1
    assert only_dispute().answered_at is not None
    assert only_dispute().state is DisputeState.UNDER_REVIEW


def test_an_answer_that_never_came_there_is_sent_anew_under_a_key_of_its_own(
    dispute, monkeypatch, monday
):
    sent = []

    def never_arrive(_ref, _words, _pdf, reference):
        sent.append(reference)
        raise OutsideFailure("The line is dead.")

    monkeypatch.setattr(house(), "answer_dispute", never_arrive)
    answer(dispute)
    db.session.commit()
    with clock.frozen(monday + timedelta(hours=22)):
        send_answer(dispute.id)
    assert len(set(sent)) == 1
    monkeypatch.undo()

    with clock.frozen(monday + timedelta(hours=24)):
        send_answer(dispute.id)

    kept = db.session.scalars(
        sa.select(TestGatewayObject).where(TestGatewayObject.kind == "dispute")
    ).one()
    assert kept.data["answer"]["reference"] == f"{sent[0]}-1"
