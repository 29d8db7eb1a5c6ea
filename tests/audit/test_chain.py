"""Any edited byte of the trail is found."""

import pytest

from portal.audit import record, trail_of, verify_audit
from portal.db import db, insert_once
from portal.models import NumberSeries
from tests.staff.test_questions import yes

NEWEST = "(SELECT max(id) FROM audit_entries)"
LAST = "(SELECT max(position) FROM audit_links)"
CHANGES = {
    "words": f"UPDATE audit_entries SET sentence = sentence || '.' WHERE id = {NEWEST}",
    "actor": f"UPDATE audit_entries SET actor = 'nobody' WHERE id = {NEWEST}",
    "removed entry": f"DELETE FROM audit_entries WHERE id = {NEWEST}",
    "removed end": f"DELETE FROM audit_links WHERE position = {LAST}",
    "previous hash": f"UPDATE audit_links SET previous_hash = hash WHERE position = {LAST}",
    "head": "UPDATE audit_heads SET position = position + 1",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_tampering_is_found(build, change):
    build.posted("10")
    db.session.commit()
    assert verify_audit() == []
    db.session.commit()
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
    else:
        for table in ("audit_entries", "audit_links"):
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER {table}_no_{verb}")
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    connection.exec_driver_sql(change)

    assert verify_audit() != []

    db.session.rollback()


def test_what_a_savepoint_took_back_leaves_no_hole(build):
    build.posted("10")
    try:
        with db.session.begin_nested():
            build.posted("20")
            raise RuntimeError
    except RuntimeError:
        pass
    build.posted("30")
    db.session.commit()

    assert verify_audit() == []


def test_entries_name_who_did_it(office, build):
    invoice = build.invoice("10")
    office.post(f"/staff/invoices/{invoice.id}/posting", data=yes(invoice.id))

    newest = trail_of(invoice)[0]
    assert newest.actor.startswith("Administrator (staff ")
    assert newest.sentence == "Posted as INV-2026-00001: $10.00."


def test_what_was_recorded_before_a_refused_savepoint_stays_in_the_chain(build):
    invoice = build.posted("10")
    record("noticed", invoice, "Before the savepoint.")
    assert insert_once(NumberSeries(series="T", fiscal_year=2020, last_number=0))
    assert not insert_once(NumberSeries(series="T", fiscal_year=2020, last_number=0))
    record("noticed", invoice, "After it.")
    db.session.commit()

    assert [one.sentence for one in trail_of(invoice)[:2]] == [
        "After it.",
        "Before the savepoint.",
    ]
    assert verify_audit() == []


def test_a_trail_shows_what_the_running_transaction_recorded(build):
    invoice = build.posted("10")
    record("noticed", invoice, "Not committed yet.")

    assert trail_of(invoice)[0].sentence == "Not committed yet."

    db.session.rollback()
    assert "Not committed yet." not in [one.sentence for one in trail_of(invoice)]
