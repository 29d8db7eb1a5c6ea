"""Any edited byte of the trail is found."""

import pytest

from portal.audit import verify_audit
from portal.db import db

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
    from portal.audit import trail_of

    invoice = build.invoice("10")
    office.post(f"/staff/invoices/{invoice.id}/posting")

    newest = trail_of(invoice)[0]
    assert newest.actor.startswith("Administrator (staff ")
    assert newest.sentence == "Posted as INV-2026-00001: $10.00."
