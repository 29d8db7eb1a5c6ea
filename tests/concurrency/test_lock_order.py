"""What is taken back as a whole locks every invoice first, then every payment, each by id."""

import pytest
import sqlalchemy as sa

from portal.batches import unpost_batch
from portal.db import db
from portal.invoices import finance, start_credit_note, undo_financing
from portal.kernel.money import Money
from portal.models import Payment, PaymentApplication
from portal.payments import apply_credit, unapply
from tests.batches.test_posting import filled, post

pytestmark = pytest.mark.concurrency


@pytest.fixture
def locks(app):
    """Pairs of table and values, one for each statement that locked rows."""
    found = []

    def listen(_connection, _cursor, statement, parameters, *_rest):
        if "FOR UPDATE" in statement:
            found.append((statement.rsplit(" OF ", 1)[-1], set(parameters.values())))

    sa.event.listen(db.engine, "before_cursor_execute", listen)
    yield found
    sa.event.remove(db.engine, "before_cursor_execute", listen)


def credit_of_document(document):
    return db.session.scalars(sa.select(Payment).where(Payment.document_id == document.id)).one()


def used_for(build, credit, customer):
    """An invoice this credit was moved to."""
    for use in db.session.scalars(
        sa.select(PaymentApplication).where(PaymentApplication.payment_id == credit.id)
    ).all():
        unapply(use)
    other = build.posted("50", customer=customer)
    apply_credit(other, on=build.today)
    db.session.commit()
    return other


def first(locks, table):
    return next(values for name, values in locks if name == table)


def test_a_batch_holds_what_its_credit_was_used_for_before_any_payment(build, locks):
    original = build.posted("100")
    money = build.payment(original.customer, "30")
    note = start_credit_note(original)
    batch = post(filled(note, money))
    credit = credit_of_document(note)
    unpaid = used_for(build, credit, original.customer)
    locks.clear()

    unpost_batch(batch, because="Wrong month")

    assert {note.id, original.id, unpaid.id} <= first(locks, "invoices")
    assert {money.id, credit.id} <= first(locks, "payments")
    tables = [name for name, _ in locks]
    assert tables.index("invoices") < tables.index("payments")


def test_undoing_a_financing_holds_what_its_credit_was_used_for_at_once(build, locks):
    original = build.posted("100")
    pair = finance(original, build.customer("Bank"), Money.of(100), because="Contract")
    db.session.commit()
    locks.clear()

    undo_financing(pair, because="Cancelled")

    assert {pair.leaves.id, pair.arrives.id, original.id} <= first(locks, "invoices")
