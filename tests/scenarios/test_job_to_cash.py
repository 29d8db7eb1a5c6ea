"""From a completed job to money on the books, told over HTTP as people do it."""

import re

import sqlalchemy as sa

from portal.db import db
from portal.ledger import trial_balance
from portal.models import (
    AccountRole,
    Invoice,
    InvoiceState,
    ItemKind,
    Job,
    Message,
    Payment,
    SentState,
    TaxClass,
)
from portal.tasks import run_waiting
from tests.conftest import payer_client
from tests.staff.test_questions import yes


def test_a_job_becomes_money(app, build, office, client, smtp):
    location = build.location(build.customer("Ada Lovelace", email="ada@example.org"),
                              zone=build.zone("6.5", "3.85"))  # fmt: skip
    build.item("135", code="LAB", tax_class=TaxClass.LABOR)
    build.item("18.50", code="FILTER", kind=ItemKind.MATERIAL)
    db.session.commit()
    customer_id = location.customer_id

    # the office books the job; the invoice begins with it
    reply = office.post(
        f"/staff/jobs?customer_id={customer_id}",
        data={
            "location_id": location.id,
            "summary": "No heat upstairs",
            "scheduled_on": "2026-03-02",
        },
    )
    assert reply.status_code == 303
    job = db.session.scalars(sa.select(Job)).one()
    invoice = db.session.scalars(sa.select(Invoice)).one()
    assert (invoice.reference_number, invoice.invoice_date) == (job.number, None)

    # the technician logs and completes; the invoice is filled and dated
    for code, quantity in (("LAB", "1.5"), ("FILTER", "2")):
        reply = office.post(f"/staff/jobs/{job.id}/logs", data={"item": code, "quantity": quantity})
        assert reply.status_code == 303
    assert office.post(f"/staff/jobs/{job.id}/completion").status_code == 303
    db.session.expire_all()
    assert [str(line.total) for line in invoice.lines] == ["$202.50", "$37.00"]
    assert str(invoice.total) == "$264.29"  # 239.50 + 15.57 + 9.22

    # the accountant posts and sends it
    assert (
        office.post(f"/staff/invoices/{invoice.id}/posting", data=yes(invoice.id)).status_code
        == 303
    )
    smtp()
    assert office.post(f"/staff/invoices/{invoice.id}/sending").status_code == 303
    db.session.expire_all()
    assert (invoice.state, invoice.document_number) == (InvoiceState.POSTED, "INV-2026-00001")
    run_waiting()
    message = db.session.scalars(sa.select(Message).where(Message.kind == "invoice")).one()
    assert invoice.sent_state is SentState.SENT
    pay_path = re.search(r"http://localhost(/pay/\w+)", message.body).group(1)

    # the customer opens the link in the mail and pays by card
    page = client.get(pay_path)
    assert "$264.29" in page.text
    checkout = client.post(pay_path, data={"which": "all"}).location
    page = client.get(checkout.removeprefix("http://localhost"))
    assert "TEST GATEWAY" in page.text
    back = client.post(checkout.removeprefix("http://localhost") + "/succeed").location
    page = client.get(back.removeprefix("http://localhost"))
    assert "Your payment arrived" in page.text

    # both webhooks are handled after the page already settled it: still one payment
    run_waiting()
    payment = db.session.scalars(sa.select(Payment)).one()
    db.session.expire_all()
    assert (str(payment.amount), str(invoice.balance), payment.livemode) == (
        "$264.29",
        "$0.00",
        False,
    )
    receipts = db.session.scalars(sa.select(Message).where(Message.kind == "receipt")).all()
    assert len(receipts) == 1

    # and the books say the same
    balances = {row.account.role: str(row.balance) for row in trial_balance(build.today)}
    assert AccountRole.RECEIVABLE not in balances  # nothing is owed
    assert balances[AccountRole.TEST_CLEARING] == "$264.29"
    assert balances[AccountRole.SALES_TAX] == "-$24.79"

    # Mallory sees nothing of it
    build.customer("Mallory", email="mallory@example.org")
    db.session.commit()
    mallory = payer_client(app, "mallory@example.org")
    assert mallory.get(f"/my/invoices/{invoice.id}").status_code == 404
    assert mallory.get(f"/my/payments/{payment.id}/receipt.pdf").status_code == 404
