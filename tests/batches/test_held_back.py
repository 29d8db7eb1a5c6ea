"""What the office holds back comes into no batch and onto no book before somebody decides."""

import pytest

from portal.audit import trail_of
from portal.batches import BatchWarning as W
from portal.batches import (
    add_invoices,
    add_matching_invoices,
    apply_rule,
    count_warnings,
    named_in,
    refused_warnings,
    start_batch,
    unbatched_invoices,
    why_not_ready,
)
from portal.batches.rules import RuleWords, add_rule
from portal.company import company
from portal.db import PageRequest, db
from portal.invoices import InvoiceFilter, post_invoice, review_invoice, start_credit_note
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity
from portal.models import BatchSubject, InvoiceState, ReviewState, WhenRefused
from tests.batches.test_posting import filled, post, reasons

HELD = {
    ReviewState.ON_HOLD: "It is on hold.",
    ReviewState.PENDING_APPROVAL: "It waits for approval.",
    ReviewState.REJECTED: "It was rejected.",
}


@pytest.fixture
def batch(app):
    batch = start_batch("Monday")
    db.session.flush()
    return batch


def held(build, state, price="80"):
    invoice = build.invoice(price)
    invoice.review_state, invoice.review_note = state, "the supplier's bill"
    invoice.approval_reason = "Large: the total is over $50.00"
    db.session.flush()
    return invoice


@pytest.mark.parametrize(("state", "why"), HELD.items())
def test_what_is_held_back_comes_into_no_batch_and_is_named(batch, build, state, why):
    good, bad = build.invoice("20"), held(build, state)

    outcome = add_invoices(batch, [good.id, bad.id])

    assert (outcome.added, outcome.refused) == (1, [(bad.number, why)])
    assert add_matching_invoices(batch, InvoiceFilter(review=state)) == 0
    assert why_not_ready(bad) == why


@pytest.mark.parametrize("state", HELD)
def test_what_is_held_back_is_not_posted_and_the_sentence_names_it(build, state):
    invoice = held(build, state)

    with pytest.raises(DomainError, match=f"Invoice {invoice.number} "):
        post_invoice(invoice)

    assert invoice.state is InvoiceState.PENDING


def test_what_is_put_on_hold_inside_a_batch_is_refused_in_its_row(build):
    good, bad = build.invoice("20"), build.invoice("80")
    batch = filled(good, bad)
    review_invoice(bad, ReviewState.ON_HOLD, note="the supplier's bill")
    db.session.commit()
    assert count_warnings(batch)[W.ON_HOLD] == 1
    assert W.ON_HOLD in refused_warnings()

    batch = post(batch)

    assert good.state is InvoiceState.PENDING
    assert reasons(batch) == [f"Invoice {bad.number} is on hold: the supplier's bill"]


def test_a_list_that_is_ready_leaves_out_what_is_held(build):
    good, bad = build.invoice("20"), held(build, ReviewState.ON_HOLD)

    ready = unbatched_invoices(InvoiceFilter(), PageRequest())
    waiting = unbatched_invoices(InvoiceFilter(), PageRequest(), ready=False)

    assert [one.id for one in ready.rows] == [good.id]
    assert [one.id for one in waiting.rows] == [bad.id]


def test_a_rule_leaves_out_what_is_held(build):
    good, bad = build.invoice("20"), held(build, ReviewState.ON_HOLD)
    rule = add_rule(RuleWords("Daily", BatchSubject.INVOICES, only_reviewed=False))
    db.session.commit()

    batch = apply_rule(rule.id)

    assert (good.batch_id, bad.batch_id) == (batch.id, None)


def test_what_nobody_reviewed_is_named_in_a_warning_and_posted(build):
    first, second = build.invoice("20"), build.invoice("80")
    batch = filled(first, second)

    assert W.NOT_REVIEWED not in refused_warnings()
    named = named_in(batch, [W.NOT_REVIEWED])[W.NOT_REVIEWED]
    assert [one.number for one in named] == [first.number, second.number]
    post(batch)
    assert first.state is InvoiceState.POSTED


def test_where_only_reviewed_ones_are_posted_the_others_are_refused(batch, build):
    company().only_reviewed_posts = True
    seen, unseen = build.invoice("20"), build.invoice("80")
    review_invoice(seen, ReviewState.REVIEWED)
    db.session.flush()

    outcome = add_invoices(batch, [seen.id, unseen.id])

    why = "Nobody reviewed it yet, and only reviewed ones are posted."
    assert (outcome.added, outcome.refused) == (1, [(unseen.number, why)])
    with pytest.raises(DomainError, match=f"Invoice {unseen.number} was not reviewed yet"):
        post_invoice(unseen)
    assert W.NOT_REVIEWED in refused_warnings()
    ready = unbatched_invoices(InvoiceFilter(), PageRequest())
    assert ready.rows == []


@pytest.fixture
def notes(build):
    """Two notes of an original whose tax was one cent; each reckons with that cent."""
    original = build.posted("0.10", "0.10", location=build.location(zone=build.zone("5")))
    return [start_credit_note(original, {one.id: Quantity.of(1)}) for one in original.lines]


def test_a_note_that_is_held_back_keeps_its_tax(notes):
    batch = filled(*notes)
    review_invoice(notes[1], ReviewState.ON_HOLD, note="wait")
    db.session.commit()
    version = notes[1].version

    post(batch, WhenRefused.POST_REST)

    assert "is on hold: wait" in reasons(batch)[0]
    assert (notes[1].state, notes[1].version) == (InvoiceState.PENDING, version)
    assert (notes[1].tax_total, notes[1].total) == (Money.of("-0.01"), Money.of("-0.11"))


def test_what_became_of_its_tax_is_told_with_both_amounts(notes):
    batch = filled(*notes)
    version = notes[1].version

    post(batch, WhenRefused.POST_REST)

    assert notes[1].state is InvoiceState.POSTED
    assert notes[1].version > version
    told = [one.sentence for one in trail_of(notes[1]) if one.verb == "tax refreshed"]
    assert "$0.01 → $0.00, in all $0.11 → $0.10" in told[0]
