"""The books on the screen: every entry leads to what explains it, and everything ties."""

from datetime import date

import pytest

from portal.db import db
from portal.kernel.money import Money
from portal.ledger import account_for
from portal.models import AccountRole
from portal.payments import apply_payment, unapply
from portal.reports import Tie, control_ties
from tests.conftest import count_statements


@pytest.fixture
def story(build):
    """An invoice paid in part, credit, and money waiting on a draft."""
    customer = build.customer("Ada <b>Lovelace</b>")
    invoice = build.posted("100", customer=customer, on=date(2026, 2, 1))
    payment = build.payment(customer, "80", on=date(2026, 2, 10))
    apply_payment(payment, invoice, Money.of(60), on=date(2026, 2, 11))
    draft = build.invoice("30", customer=customer)
    apply_payment(payment, draft, Money.of(15), on=date(2026, 2, 20))
    db.session.commit()
    return invoice, payment


def test_the_journal_leads_to_what_explains_each_entry(office, story):
    invoice, payment = story

    page = office.get("/staff/ledger").text

    assert f'href="/staff/invoices/{invoice.id}"' in page
    assert page.count(f'href="/staff/payments/{payment.id}"') == 2
    assert "Ada &lt;b&gt;Lovelace" in page
    assert "1200" in page


def test_the_journal_is_narrowed_by_words_and_days(office, story):
    by_day = office.get("/staff/ledger?dated_from=2026-02-10&dated_to=2026-02-10").text
    by_word = office.get("/staff/ledger?q=applied").text

    assert "Payment from Ada" in by_day
    assert "Payment applied" not in by_day
    assert "Payment applied" in by_word
    assert "No entry fits" in office.get("/staff/ledger?q=zzz").text


def test_an_accounts_activity_carries_its_balance_over_pages(office, story):
    deposits = account_for(AccountRole.CUSTOMER_DEPOSITS).id

    page = office.get(f"/staff/ledger/accounts/{deposits}").text
    later = office.get(f"/staff/ledger/accounts/{deposits}?dated_from=2026-02-11").text

    assert "-$80.00" in page
    assert "-$20.00" in page
    assert later.index("-$20.00") < later.index("Balance before") < later.rindex("-$80.00")
    assert office.get("/staff/ledger/accounts/999").status_code == 404


def test_the_trial_balance_is_of_a_day_and_both_sides_agree(office, story):
    page = office.get("/staff/ledger/trial-balance?on=2026-02-01").text

    assert page.count("$100.00") == 4  # receivable, revenue, and both totals
    assert "Customer Deposits" not in page
    assert (
        "Nothing was booked by then" in office.get("/staff/ledger/trial-balance?on=2020-01-01").text
    )


@pytest.mark.parametrize("day", range(1, 29, 3))
def test_the_control_accounts_tie_on_every_day(build, story, day):
    _invoice, payment = story
    unapply(payment.applications[0], on=date(2026, 2, 25))

    ties = control_ties(on=date(2026, 2, day))

    assert [tie.difference for tie in ties] == [Money(0), Money(0)]
    assert ties[1].documents == (Money.of(-80) if day in (10, 25, 28) else ties[1].booked)


def test_a_difference_would_be_shown(office, story, monkeypatch):
    receivable = account_for(AccountRole.RECEIVABLE)
    off = Tie(receivable, Money.of(10), Money.of(7))
    monkeypatch.setattr("staff.ledger.control_ties", lambda on: [off])

    page = office.get("/staff/ledger/trial-balance/ties").text

    assert '<strong class="very-late">$3.00</strong>' in page


def test_a_longer_journal_takes_no_more_statements(office, build, story):
    with count_statements() as few:
        office.get("/staff/ledger")
    for _ in range(12):
        invoice = build.posted("5")
        build.payment(invoice.customer, "5", invoice)
    db.session.commit()
    with count_statements() as many:
        office.get("/staff/ledger")

    assert len(many) == len(few)


def test_the_journal_is_downloaded_for_hledger(office, story):
    answer = office.get("/staff/ledger/journal.hledger")

    assert (
        "attachment; filename=journal-2026-03-02.journal" in answer.headers["Content-Disposition"]
    )
    assert answer.text.count("\n2026-02-") == 3
    assert "assets:1200 Accounts Receivable  100.00" in answer.text
