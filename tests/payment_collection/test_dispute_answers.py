"""A dispute is answered once, with what our own records show."""

import io
import json

import pytest
from pypdf import PdfReader

from portal.audit import trail_of
from portal.db import db
from portal.kernel.errors import DomainError, InvalidFields, OutsideFailure
from portal.models import DisputeState, TestGatewayObject
from portal.payment_collection import (
    answer_dispute,
    answer_problem,
    evidence_pdf,
    get_dispute,
    proposed_words,
    said_of,
    waiting_answers,
)
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
