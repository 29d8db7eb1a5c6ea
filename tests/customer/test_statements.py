"""What customers see of statements: their own at any range, and by link that one only."""

from datetime import date

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import unpost_invoice
from portal.kernel.money import Money
from portal.models import PaymentAttempt, Statement, StatementKind
from portal.statements import (
    RunOrder,
    StatementWanted,
    look_at_share,
    revoke_link,
    start_run,
    statement_link,
    waiting_shares,
)
from tests.conftest import payer_client


@pytest.fixture
def ada(build):
    return build.customer("Ada Lovelace", email="ada@example.org")


@pytest.fixture
def payer(app, ada):
    db.session.commit()
    return payer_client(app, "ada@example.org")


def sent(build, *customers):
    wanted = StatementWanted(StatementKind.OPEN_ITEM, build.today)
    start_run([one.id for one in customers], RunOrder(wanted), today=build.today)
    db.session.commit()
    for share in list(waiting_shares()):
        look_at_share(share)
    return db.session.scalars(sa.select(Statement).order_by(Statement.id)).all()


def path_of(statement):
    return statement_link(statement.nonce).removeprefix("http://localhost")


def test_a_customer_sees_any_day_and_any_range(build, ada, payer):
    invoice = build.posted("100.00", customer=ada, on=date(2026, 1, 5))
    build.payment(ada, "60.00", invoice, on=date(2026, 2, 10))

    now = payer.get("/my/statements").text
    then = payer.get("/my/statements?ends_on=2026-01-31").text
    ranged = payer.get(
        "/my/statements?kind=balance_forward&starts_on=2026-02-01&ends_on=2026-02-28"
    ).text

    assert "$40.00" in now
    assert "$100.00" in then
    assert "Balance forward" in ranged
    assert "−$60.00" in ranged
    assert payer.get("/my/statements/statement.pdf").data.startswith(b"%PDF")
    backwards = payer.get(
        "/my/statements?kind=balance_forward&starts_on=2026-02-01&ends_on=2026-01-01"
    )
    assert backwards.status_code == 422


def test_nobody_sees_anothers_statement(build, ada, payer):
    other = build.customer("Bea")
    build.posted("77.00", customer=other)
    build.posted("10.00", customer=ada)
    mine, foreign = sorted(sent(build, ada, other), key=lambda one: one.customer_id != ada.id)

    assert payer.get(f"/my/statements?customer_id={other.id}").status_code == 404
    assert payer.get(f"/my/statements/statement.pdf?customer_id={other.id}").status_code == 404
    assert payer.get(f"/my/statements/{foreign.id}.pdf").status_code == 404
    assert payer.get(f"/my/statements/{mine.id}.pdf").data.startswith(b"%PDF")
    assert f"/my/statements/{mine.id}.pdf" in payer.get("/my/statements").text


def test_a_link_shows_its_statement_and_its_invoices_only(build, ada, client):
    first = build.posted("100.00", customer=ada)
    (statement,) = sent(build, ada)
    later = build.posted("33.00", customer=ada)
    path = path_of(statement)

    page = client.get(path).text

    assert first.document_number in page
    assert later.document_number not in page
    assert client.get(f"{path}/statement.pdf").data.startswith(b"%PDF")
    assert client.get(f"{path}/invoices/{first.id}.pdf").data.startswith(b"%PDF")
    assert client.get(f"{path}/invoices/{later.id}.pdf").status_code == 404
    unpost_invoice(first, because="Wrong price")  # a draft again, which nobody was sent
    db.session.commit()
    assert client.get(f"{path}/invoices/{first.id}.pdf").status_code == 404
    assert client.get(path[:-1] + "x").status_code == 404
    assert db.session.get_one(Statement, statement.id).opened_at is not None


def test_a_link_pays_what_is_typed_and_never_another_invoice(build, ada, client):
    first = build.posted("100.00", customer=ada)
    second = build.posted("50.00", customer=ada)
    (statement,) = sent(build, ada)
    foreign = build.posted("33.00")
    data = {f"amount-{first.id}": "40.00", f"amount-{second.id}": "", f"amount-{foreign.id}": "33"}

    reply = client.post(path_of(statement), data=data)

    assert reply.status_code == 303
    attempt = db.session.scalars(sa.select(PaymentAttempt)).one()
    assert [(one.invoice_id, one.amount) for one in attempt.shares] == [(first.id, Money.of(40))]
    back = attempt.return_url.removeprefix("http://localhost")
    assert client.get(back).status_code == 200
    assert client.get(back.replace(attempt.public_id, "nonsense")).status_code == 404


@pytest.mark.parametrize(
    ("typed", "words"), [("nonsense", "amount such as"), ("999", "Only $100.00 is due")]
)
def test_an_amount_that_will_not_do_is_refused_beside_the_field(build, ada, client, typed, words):
    invoice = build.posted("100.00", customer=ada)
    (statement,) = sent(build, ada)

    reply = client.post(path_of(statement), data={f"amount-{invoice.id}": typed})

    assert reply.status_code == 422
    assert words in reply.text
    assert client.post(path_of(statement), data={}).status_code == 422


def test_a_revoked_link_neither_shows_nor_pays(build, ada, client):
    build.posted("100.00", customer=ada)
    (statement,) = sent(build, ada)
    revoke_link(statement)
    path = path_of(statement)

    assert client.get(path).status_code == 404
    assert client.post(path, data={}).status_code == 404
    assert client.get(f"{path}/statement.pdf").status_code == 404
