"""The question before posting shows the entries, and a way out of a closed month."""

from datetime import date

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import (
    LineWords,
    add_line,
    charge_interest,
    get_invoice,
    post_invoices,
    posting_preview,
    start_adjustment,
    start_credit_note,
    unpost_invoice,
    write_off,
)
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import close_through, reopen_month
from portal.models import InvoiceState, JournalEntry, JournalLine
from portal.payments import apply_payment
from tests.conftest import staff_client
from tests.staff.test_questions import state_of, yes

FEBRUARY = date(2026, 2, 1)


def booked():
    """Debit and credit per account of everything in the journal."""
    sums = {}
    for line in db.session.scalars(sa.select(JournalLine)):
        debit, credit = sums.get(line.account_id, (Money(0), Money(0)))
        if line.amount > Money(0):
            debit += line.amount
        else:
            credit -= line.amount
        sums[line.account_id] = debit, credit
    return sums


NOTHING = (Money(0), Money(0))


def grown_by(work):
    """Debit and credit per account of what `work` booked."""
    before = booked()
    work()
    after = booked()
    grown = {
        one: tuple(new - old for new, old in zip(after[one], before.get(one, NOTHING), strict=True))
        for one in after
    }
    return {one: both for one, both in grown.items() if any(both)}


def previewed(*invoices):
    return {row.account.id: (row.debit, row.credit) for row in posting_preview(invoices)}


def test_the_preview_is_what_posting_writes(office, build):
    taxed = build.invoice("80", "-5", location=build.location(zone=build.zone("10")))
    plain = build.invoice("20")
    money = build.payment(plain.customer, "15")
    apply_payment(money, plain, Money.of(15), on=build.today)
    told, ids = previewed(taxed, plain), [taxed.id, plain.id]

    grown = grown_by(lambda: office.post("/staff/invoices/postings", data=yes(*ids) | {"ids": ids}))

    assert grown == told


def taxed_original(build):
    return build.posted("80", "20", location=build.location(zone=build.zone("10")))


def credit_note_on_what_is_open(build):
    return [start_credit_note(taxed_original(build))]


def credit_note_on_what_is_partly_paid(build):
    original = taxed_original(build)
    build.payment(original.customer, "100", original)
    return [start_credit_note(original)]


def credit_note_on_what_is_paid(build):
    original = taxed_original(build)
    build.payment(original.customer, "110", original)
    return [start_credit_note(original)]


def two_credit_notes_that_share_the_balance(build):
    original = taxed_original(build)
    build.payment(original.customer, "50", original)
    return [start_credit_note(original, {one.id: one.quantity}) for one in original.lines]


def adjustment(build, quantity):
    draft = start_adjustment(taxed_original(build), because="wrong price")
    words = LineWords("Work", Quantity.of(quantity), UnitPrice.of("30"))
    add_line(draft, words)
    return [draft]


def write_off_posted_once_more(build):
    document = write_off(taxed_original(build), because="Bankrupt")
    unpost_invoice(document, because="Too early")
    return [document]


def interest(build):
    late = build.posted("100", on=date(2026, 1, 2))
    return [charge_interest(late, flat=Money.of(5))]


@pytest.mark.parametrize(
    "drafts",
    [
        lambda build: [build.invoice("0")],
        credit_note_on_what_is_open,
        credit_note_on_what_is_partly_paid,
        credit_note_on_what_is_paid,
        two_credit_notes_that_share_the_balance,
        lambda build: adjustment(build, "1"),
        lambda build: adjustment(build, "-1"),
        interest,
        write_off_posted_once_more,
    ],
)
def test_what_is_previewed_is_what_every_kind_of_document_books(build, drafts):
    documents = drafts(build)
    db.session.flush()
    told = previewed(*documents)

    assert grown_by(lambda: post_invoices([one.id for one in documents])) == told
    assert all(one.is_on_the_books for one in documents)


def test_the_question_shows_accounts_sides_and_totals(office, build):
    invoice = build.invoice("80", location=build.location(zone=build.zone("10")))

    page = office.get(f"/staff/invoices/{invoice.id}/posting").text

    assert "What posting writes into the journal" in page
    assert page.count("data-preview") == 3
    for words in ("1200 Accounts Receivable", "4000 Service Revenue", "2200 Sales Tax Payable"):
        assert words in page
    assert page.count("$88.00") >= 3
    assert db.session.scalar(sa.select(JournalEntry.id)) is None


def test_a_draft_of_a_closed_month_is_offered_the_next_open_day(office, build):
    draft = build.invoice("80", on=date(2026, 2, 5))
    close_through(FEBRUARY)

    page = office.post(f"/staff/invoices/{draft.id}/posting").text

    assert "February 2026 is closed" in page
    assert "Date it March 1, 2026 and post" in page
    assert state_of(draft) is InvoiceState.PENDING
    version = {"version": get_invoice(draft.id).version}
    office.post(f"/staff/invoices/{draft.id}/posting/open-day", data=version)
    assert state_of(draft) is InvoiceState.POSTED
    assert get_invoice(draft.id).invoice_date == date(2026, 3, 1)


def test_somebody_who_changed_it_meanwhile_is_not_overruled(office, build):
    draft = build.invoice("80", on=date(2026, 2, 5))
    close_through(FEBRUARY)

    told = office.post(
        f"/staff/invoices/{draft.id}/posting/open-day", data={"version": draft.version - 1}
    )

    assert told.status_code in (303, 409)
    assert state_of(draft) is InvoiceState.PENDING
    assert get_invoice(draft.id).invoice_date == date(2026, 2, 5)


def test_a_tax_that_changes_with_the_day_is_shown_before_it_is_posted(office, build, monkeypatch):
    draft = build.invoice("80", on=date(2026, 2, 5), location=build.location(zone=build.zone("10")))
    draft.tax_zone.rates[0].starts_on = date(2026, 3, 1)
    from portal.invoices import refresh_tax

    refresh_tax(draft)
    close_through(FEBRUARY)
    db.session.commit()
    version = {"version": get_invoice(draft.id).version}

    page = office.post(
        f"/staff/invoices/{draft.id}/posting/open-day", data=version, follow_redirects=True
    ).text

    assert "Look at the new total" in page
    assert "Post it for $88.00" in page
    assert state_of(draft) is InvoiceState.PENDING


def test_dating_needs_the_ability_to_edit(app, build):
    draft = build.invoice("80", on=date(2026, 2, 5))
    close_through(FEBRUARY)
    poster = staff_client(app, build, "Accountant")
    role = build.person("P", role="Accountant").role
    role.abilities = [one for one in role.abilities if one != "edit invoices"]
    db.session.commit()

    page = poster.get(f"/staff/invoices/{draft.id}/posting").text
    told = poster.post(f"/staff/invoices/{draft.id}/posting/open-day", data={"version": "1"})

    assert "and post" not in page
    assert told.status_code == 403
    reopen_month(FEBRUARY)
