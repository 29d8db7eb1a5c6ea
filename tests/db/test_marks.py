import sqlite3
import time

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.db import db, insert_once, note_in_passing
from portal.models import Customer, Invoice, SentState


def test_a_mark_is_written_when_nothing_is_in_the_way(build):
    customer = build.customer()
    db.session.commit()

    assert note_in_passing(sa.update(Customer).values(notes="seen"))

    db.session.refresh(customer)
    assert customer.notes == "seen"
    db.session.rollback()


@pytest.fixture
def long_write(app):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite has a single writer")
    db.session.rollback()
    writer = sqlite3.connect(db.engine.url.database, isolation_level=None)
    yield writer.execute
    writer.close()


def test_a_page_is_shown_though_its_mark_cannot_be_written(build, client, long_write):
    invoice = build.posted("80")
    path = build.pay_path(invoice)
    db.session.commit()
    db.session.rollback()
    long_write("BEGIN IMMEDIATE")
    started = time.monotonic()

    assert client.get(path).status_code == 200

    assert time.monotonic() - started < 5  # a writer would wait three times as long
    long_write("ROLLBACK")
    assert db.session.get(Invoice, invoice.id).sent_state is not SentState.OPENED
    db.session.rollback()


def test_patience_returns_with_the_connection(app, build):
    build.customer()
    db.session.commit()
    note_in_passing(sa.update(Customer).values(notes="seen"))
    if db.engine.dialect.name == "sqlite":
        assert db.session.execute(sa.text("PRAGMA busy_timeout")).scalar() == 15_000
    db.session.rollback()


def test_inserting_once_hides_no_other_broken_rule(build):
    from portal.models import Message

    with pytest.raises(IntegrityError):
        insert_once(Message(kind="x", recipient=None))
    db.session.rollback()
