import pytest

from portal.access import Ability
from portal.audit import trail_of
from portal.company import company
from portal.db import PageRequest, db
from portal.invoices import (
    Check,
    ReviewFilter,
    assign_invoices,
    find_aging,
    find_paid,
    find_to_review,
    get_invoice,
    invoice_of_job,
    neighbours,
    post_invoice,
    review_invoice,
    review_invoices,
    reviewers,
    sum_to_review,
)
from portal.kernel.errors import Conflict, DomainError, InvalidFields, InvalidTransition
from portal.kernel.money import Money
from portal.models import ReviewState


def queue(me=0, **words):
    return [one.id for one in find_to_review(ReviewFilter(**words), PageRequest(), me=me).rows]


def test_on_hold_says_what_it_waits_for(build):
    invoice = build.invoice("80")
    with pytest.raises(InvalidFields, match="what it waits for"):
        review_invoice(invoice, ReviewState.ON_HOLD)

    review_invoice(invoice, ReviewState.ON_HOLD, note="The purchase order")

    assert invoice.review_note == "The purchase order"
    assert trail_of(invoice)[0].sentence == "Review: on hold: The purchase order."


def test_what_was_reviewed_is_not_reviewed_twice(build):
    invoice = build.invoice("80")
    review_invoice(invoice, ReviewState.REVIEWED)

    with pytest.raises(InvalidTransition, match="already reviewed"):
        review_invoice(invoice, ReviewState.REVIEWED)


@pytest.mark.parametrize("state", [ReviewState.PENDING_APPROVAL, ReviewState.REJECTED])
def test_nobody_approves_or_rejects_by_reviewing(build, state):
    with pytest.raises(InvalidTransition, match="Only an approver"):
        review_invoice(build.invoice("80"), state)


def test_what_is_posted_needs_no_review(build):
    with pytest.raises(InvalidTransition, match="its review is over"):
        review_invoice(build.posted("80"), ReviewState.REVIEWED)


def test_a_review_of_what_somebody_changed_meanwhile_is_refused(build):
    invoice = build.invoice("80")
    with pytest.raises(Conflict):
        review_invoice(invoice, ReviewState.REVIEWED, version=invoice.version - 1)


def test_many_are_reviewed_and_each_refusal_is_told(build):
    good, done, posted = build.invoice("80"), build.invoice("5"), build.posted("9")
    review_invoice(done, ReviewState.REVIEWED)

    outcome = review_invoices([posted.id, good.id, done.id], ReviewState.REVIEWED)

    assert outcome.done == [good]
    assert [one.id for one, _why in outcome.refused] == [posted.id, done.id]
    assert "already reviewed" in outcome.refused[1][1]


def test_drafts_are_given_to_somebody_and_taken_back(build):
    ada, invoice = build.person("Ada"), build.invoice("80")
    assign_invoices([invoice.id], ada)
    assert invoice.review_assignee is ada
    assert queue(assignee=str(ada.id)) == queue(me=ada.id, assignee="me") == [invoice.id]
    assert queue(assignee="nobody") == []

    again = assign_invoices([invoice.id], ada)
    assert "Ada already has it" in again.refused[0][1]

    assign_invoices([invoice.id], None)
    assert trail_of(invoice)[0].changes == {"reviewer": ["Ada", None]}
    assert queue(assignee="nobody") == [invoice.id]


def test_only_those_who_may_edit_invoices_can_be_asked(build):
    able, other = build.person("Olive", role="Office"), build.person("Tess", role="Technician")

    assert able in reviewers()
    assert other not in reviewers()
    assert all(Ability.EDIT_INVOICES in one.role.abilities for one in reviewers())


def test_the_queue_holds_what_is_dated_and_undecided(build):
    waiting, held, seen = build.invoice("1"), build.invoice("2"), build.invoice("3")
    build.posted("4")
    undated = invoice_of_job(build.job())
    review_invoice(held, ReviewState.ON_HOLD, note="Parts")
    review_invoice(seen, ReviewState.REVIEWED)

    assert queue() == [waiting.id, held.id]
    assert queue(review=ReviewState.REVIEWED) == [seen.id]
    assert queue(undated=True) == [undated.id]
    assert sum_to_review(ReviewFilter(), me=0) == (2, Money.of(3))


def test_the_queue_is_narrowed_to_a_warning(build):
    plain = build.invoice("80", location=build.location(zone=build.zone("10")))
    empty, unzoned = build.invoice(), build.invoice("9")

    assert queue(warning=Check.NO_LINES) == [empty.id]
    assert queue(warning=Check.ZONE_MISSING) == [empty.id, unzoned.id]
    assert plain.id in queue(warning=Check.NO_SUMMARY)
    assert queue(warning=Check.STALE_TAX) == queue()  # computed per row, never an error


def test_next_and_previous_follow_the_queue_also_after_leaving_it(build):
    day = build.today.replace(day=1)
    second, first = build.invoice("1"), build.invoice("2", on=day)
    third = build.invoice("3")
    review_invoice(second, ReviewState.REVIEWED)

    around = neighbours(second, ReviewFilter(), me=0)

    assert (around.before, around.after) == (first, third)
    assert neighbours(third, ReviewFilter(), me=0).after is None


def test_aging_lists_the_longest_overdue_and_paid_the_latest(build):
    late = build.posted("10", on=build.today.replace(month=1))
    young, paid = build.posted("20"), build.posted("30")
    build.payment(paid.customer, "30", paid)
    build.invoice("40")
    wanted = ReviewFilter()

    aging = find_aging(wanted, PageRequest(), me=0)
    settled = find_paid(wanted, PageRequest(), me=0, on=build.today)

    assert [one.id for one in aging.rows] == [late.id, young.id]
    assert [one.id for one in settled.rows] == [paid.id]


def test_what_nobody_reviewed_may_be_posted_unless_the_company_says_otherwise(build):
    free, kept = build.invoice("80"), build.invoice("80")

    post_invoice(free)
    company().only_reviewed_posts = True

    assert get_invoice(free.id).is_on_the_books
    with pytest.raises(DomainError, match=f"{kept.number} was not reviewed yet"):
        post_invoice(kept)


def test_the_queue_costs_the_same_however_long_it_is(build):
    from tests.conftest import count_statements

    counts = []
    for more in (2, 9):
        for _ in range(more):
            build.invoice("5")
        db.session.commit()
        db.session.expire_all()
        with count_statements() as statements:
            queue()
        counts.append(len(statements))

    assert counts[0] == counts[1]
