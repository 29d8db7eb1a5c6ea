"""The demo company: the same every time, and every screen has something to show."""

import re
from datetime import date

import sqlalchemy as sa

from portal.access import person_of_email
from portal.access.sign_ins import sign_in_user
from portal.audit import trail_of
from portal.db import db
from portal.kernel.money import Money
from portal.ledger import is_open
from portal.models import (
    Customer,
    Dispute,
    DunningCase,
    Invoice,
    InvoiceDispute,
    Job,
    Payment,
    PromiseToPay,
    WriteOffProposal,
)
from portal.payment_collection import pay_out_daily, pay_out_now
from portal.payment_collection.gateways.test_gateway.moving import all_movements
from portal.receivables import aging_totals
from portal.reports import control_ties
from portal.seed import demo_sign_ins, seed_demo
from portal.seed.demo import STAFF_EMAIL
from tests.conftest import payer_client
from tests.ledger.hledger import hledger_balances, our_balances

LISTS = ["jobs", "invoices", "payments", "receivables", "customers", "price-book", "ledger",
         "ledger/trial-balance", "online-payments", "online-payments/payouts",
         "outbox", "tax-zones", "people",
         "review", "batches", "roles", "payment-plans", "collections", "risk",
         "statements"]  # fmt: skip

# customers, jobs, invoices, payments, and the sum of all invoices: by the demo's own seed
FIGURES = (60, 264, 266, 273, "$201,174.43")


def count(table, *wheres):
    return db.session.scalar(sa.select(sa.func.count()).select_from(table).where(*wheres))


def test_the_demo_company_fills_every_screen_the_same_way_each_time(app, tmp_path):
    assert seed_demo(say=lambda _words: None)
    assert not seed_demo(say=lambda _words: None)  # there is one already

    figures = (count(Customer), count(Job), count(Invoice), count(Payment))
    total = db.session.scalar(sa.select(sa.func.sum(Invoice.total)))
    assert (*figures, str(total)) == FIGURES
    assert count(Payment, Payment.disputed) == 1
    assert {"open", "with_manager"} <= set(db.session.scalars(sa.select(DunningCase.state)))
    assert "kept" in db.session.scalars(sa.select(PromiseToPay.state)).all()
    assert (count(InvoiceDispute), count(WriteOffProposal)) == (1, 1)
    assert aging_totals(on=date(2026, 3, 2)).over_30 > Money.of(1000)
    assert [is_open(date(2025, 10, 31)), is_open(date(2026, 1, 1))] == [False, True]
    assert [str(tie.difference) for tie in control_ties(on=date(2026, 3, 2))] == ["$0.00"] * 2
    assert hledger_balances(tmp_path) == our_balances(date(2026, 3, 2))

    names = [name for name, _url in demo_sign_ins()]
    assert names == ["Office (Olive Ostrander)", "Second approver (Fay Fontana)", "Customer (Ada)"]
    olive = person_of_email(STAFF_EMAIL)
    assert olive is not None
    office = app.test_client()
    office.set_cookie("fieldledger_staff", sign_in_user(olive, ip="", agent=""))
    for path in LISTS:
        page = office.get(f"/staff/{path}")
        assert page.status_code == 200, path
        assert 'class="empty"' not in page.text, path
        assert len(re.findall("data-row", page.text)) > 1, path
    home = payer_client(app, "ada@customer.example").get("/my/").text
    assert "You owe" in home
    disputed = db.session.scalars(sa.select(Dispute)).one()
    assert [one.verb for one in trail_of(disputed)] == ["disputed"]
    named = [one.movement_ref for one in all_movements(db.session())]
    assert len(named) == len(set(named))  # else a payout meets the same name twice
    pay_out_daily()
    assert not pay_out_now()
