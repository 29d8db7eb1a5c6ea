import pytest

from portal.audit import acting_as, trail_of
from portal.db import db
from portal.invoices import (
    OWN_WORK,
    ApprovalWords,
    LineWords,
    active_rules,
    add_line,
    add_rule,
    approve_invoice,
    change_rule,
    invoice_of_job,
    post_invoice,
    post_invoices,
    posting_problem,
    reject_invoice,
    remove_line,
    review_invoice,
)
from portal.jobs import JobWords, book_job, complete_job
from portal.kernel.errors import (
    Conflict,
    DomainError,
    InvalidFields,
    InvalidTransition,
    NeedsConfirmation,
)
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import InvoiceState, ReviewState

MORE = LineWords("More", Quantity.of(1), UnitPrice.of(50))


@pytest.fixture
def rule(build):
    rule = add_rule(ApprovalWords("Large", over=Money.of(100)))
    db.session.flush()
    return rule


@pytest.fixture
def waiting(build, rule):
    invoice = build.invoice("150")
    review_invoice(invoice, ReviewState.REVIEWED)
    return invoice


@pytest.fixture
def boss(build):
    with acting_as("Bea Boss (staff 9)"):
        yield build.person("Bea Boss")


def test_reviewing_a_large_invoice_asks_the_approvers(waiting):
    assert waiting.review_state is ReviewState.PENDING_APPROVAL
    assert waiting.approval_reason == "Large: the total is over $100.00"
    assert trail_of(waiting)[0].verb == "asked for approval"


def test_the_amount_itself_is_not_over_it(build, rule):
    invoice = build.invoice("100")
    review_invoice(invoice, ReviewState.REVIEWED)

    assert invoice.review_state is ReviewState.REVIEWED


@pytest.mark.parametrize("reviewed", [True, False])
def test_it_is_posted_only_after_the_approval(build, rule, boss, reviewed):
    with acting_as("Olive Office (staff 1)"):
        invoice, small = build.invoice("150"), build.invoice("5")
    if reviewed:
        review_invoice(invoice, ReviewState.REVIEWED)
    with pytest.raises(DomainError, match="approval"):
        post_invoice(invoice)
    outcome = post_invoices([invoice.id, small.id])
    assert outcome.done == [small]
    assert "the total is over $100.00" in outcome.refused[0][1]

    if not reviewed:
        review_invoice(invoice, ReviewState.REVIEWED)
    approve_invoice(invoice, by=boss, version=invoice.version)
    post_invoice(invoice)

    assert invoice.state is InvoiceState.POSTED
    assert (invoice.approved_total, invoice.approved_by_id) == (Money.of(150), boss.id)


def test_more_than_was_approved_asks_again_and_less_does_not(waiting, boss):
    approve_invoice(waiting, by=boss, version=waiting.version, confirmed=[OWN_WORK])
    db.session.flush()
    added = add_line(waiting, MORE)
    db.session.flush()
    assert waiting.review_state is ReviewState.PENDING_APPROVAL

    approve_invoice(waiting, by=boss, version=waiting.version, confirmed=[OWN_WORK])
    remove_line(waiting, added)

    assert waiting.review_state is ReviewState.REVIEWED
    assert waiting.approved_total == Money.of(200)
    assert posting_problem(waiting) is None


def test_a_reviewed_invoice_that_grows_over_the_limit_asks(build, rule):
    invoice = build.invoice("90")
    review_invoice(invoice, ReviewState.REVIEWED)

    add_line(invoice, MORE)

    assert invoice.review_state is ReviewState.PENDING_APPROVAL


def test_what_no_rule_looks_at_any_more_waits_no_longer(waiting):
    remove_line(waiting, waiting.lines[0])

    assert waiting.review_state is ReviewState.NEEDS_REVIEW
    assert waiting.approval_reason == ""


def test_a_rejected_invoice_is_reviewed_again(waiting, boss):
    with pytest.raises(InvalidFields, match="what is wrong"):
        reject_invoice(waiting, note=" ", version=waiting.version)
    reject_invoice(waiting, note="Wrong unit", version=waiting.version)

    assert "rejected: Wrong unit" in posting_problem(waiting)
    with pytest.raises(InvalidTransition):
        approve_invoice(waiting, by=boss, version=waiting.version)
    review_invoice(waiting, ReviewState.REVIEWED)
    assert waiting.review_state is ReviewState.PENDING_APPROVAL


def test_who_wrote_the_lines_is_asked_whether_he_may_approve_them(build, rule):
    olive = build.person("Olive")
    with acting_as("Olive (staff 1)"):
        invoice = build.invoice("150")
        review_invoice(invoice, ReviewState.REVIEWED)
        with pytest.raises(NeedsConfirmation, match="Somebody else should look") as asked:
            approve_invoice(invoice, by=olive, version=invoice.version)

        approve_invoice(invoice, by=olive, version=invoice.version, confirmed=[asked.value.code])

    assert invoice.review_state is ReviewState.REVIEWED


def test_an_approval_is_for_what_was_shown(waiting, boss):
    with pytest.raises(Conflict):
        approve_invoice(waiting, by=boss, version=waiting.version - 1)


def test_a_rule_looks_at_everything_it_names(build):
    ada, bob = build.customer("Ada"), build.customer("Bob")
    add_rule(ApprovalWords("Ada's jobs", over=Money.of(10), customer=ada, job_type="Install"))
    words = JobWords(location=build.location(ada), summary="New unit", job_type="install ")
    install = book_job(words)
    complete_job(install)
    invoice = invoice_of_job(install)
    add_line(invoice, MORE)
    others = build.invoice("50", customer=ada), build.invoice("50", customer=bob)

    assert "the customer is Ada and the job is of type Install" in posting_problem(invoice)
    assert [posting_problem(one) for one in others] == [None, None]


def test_a_resting_rule_asks_nobody(build, rule):
    words = ApprovalWords("Large", over=Money.of(100), active=False)
    change_rule(rule, words, version=rule.version)

    assert active_rules() == []
    assert posting_problem(build.invoice("150")) is None


def test_a_rule_names_something(build):
    with pytest.raises(InvalidFields, match="what the rule looks at"):
        add_rule(ApprovalWords("Everything"))
    add_rule(ApprovalWords("Large", over=Money.of(1)))
    with pytest.raises(InvalidFields, match="already has this name"):
        add_rule(ApprovalWords("large", over=Money.of(2)))


def test_rules_are_read_once_however_many_are_posted(build, rule):
    from tests.conftest import count_statements

    ids = [build.invoice("5").id for _ in range(6)]
    db.session.commit()
    with count_statements() as statements:
        post_invoices(ids)

    assert sum("FROM approval_rules" in one for one in statements) == 1
