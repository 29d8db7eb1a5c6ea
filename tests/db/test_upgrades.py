"""A database of an earlier version keeps its rows and gets today's promises."""

import sqlite3

import pytest
from flask_migrate import upgrade

from portal.db import db
from portal.db.migrate import FOLDER
from portal.settings import read_settings
from wsgi import make_app

OLD_ROWS = """
INSERT INTO customers (id, name, street, unit, city, region, postal_code, country, delivery,
    language, email, phone, notes, tax_exempt, exemption_certificate, active, created_at, version)
    VALUES (1, 'Ada', '', '', '', '', '', 'US', 'email', 'en', '', '', '', 0, '',
    1, '2025-01-01', 1);
INSERT INTO accounts (id, number, name, kind, role, active, created_at, version)
    VALUES (1, '2450', 'Loans', 'liability', NULL, 1, '2025-01-01', 1);
INSERT INTO payment_types (id, name, method, account_id, online, active, created_at, version)
    VALUES (1, 'Check', 'check', 1, 0, 1, '2025-01-01', 1);
INSERT INTO payments (id, customer_id, type_id, amount, unapplied, received_on, reference, memo,
    state, livemode, disputed, created_at, version)
    VALUES (1, 1, 1, 5000, 5000, '2025-01-01', '', '', 'pending', 1, 0, '2025-01-01', 1);
INSERT INTO roles (id, name, abilities, created_at, version)
    VALUES (1, 'Accountant', '["view ledger"]', '2025-01-01', 1);
"""


@pytest.fixture
def upgraded(tmp_path, request):
    """A SQLite file that began at 0004 with rows, later got more, and was brought to today."""
    stations = [("0004", OLD_ROWS), *([request.param] if hasattr(request, "param") else [])]
    where = {"DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/old.sqlite3"}
    app = make_app(settings=read_settings(where), TESTING=True)
    with app.app_context():
        for revision, rows in stations:
            upgrade(directory=FOLDER, revision=revision)
            db.session.remove()
            db.engine.dispose()
            with sqlite3.connect(tmp_path / "old.sqlite3") as old:
                old.executescript(rows)
        upgrade(directory=FOLDER)
        db.session.remove()
        db.engine.dispose()
    with sqlite3.connect(tmp_path / "old.sqlite3") as now:
        now.execute("PRAGMA foreign_keys = ON")
        yield now


def test_rows_of_an_earlier_version_survive_with_sensible_values(upgraded):
    assert upgraded.execute("SELECT amount, origin, bypass FROM payments").fetchall() == [
        (5000, "money", 0)
    ]
    assert upgraded.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert upgraded.execute("PRAGMA foreign_key_check").fetchall() == []


def test_new_accounts_stand_beside_numbers_that_are_taken(upgraded):
    rows = upgraded.execute("SELECT number FROM accounts WHERE role = 'finance_clearing'")
    assert rows.fetchall() == [("2451",)]


def test_built_in_roles_get_what_a_new_installation_gives_them(upgraded):
    (abilities,) = upgraded.execute("SELECT abilities FROM roles").fetchone()
    assert "batch invoices" in abilities
    assert "view ledger" in abilities
    assert "approve invoices" not in abilities


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payments SET amount = -1",
        "UPDATE payments SET unapplied = 6000",
        "UPDATE payments SET origin = 'document'",
        "UPDATE payments SET origin = 'elsewhere'",
        "UPDATE accounts SET role = 'piggy_bank' WHERE id = 1",
        "UPDATE payments SET batch_id = 99",
    ],
)
def test_the_upgraded_database_refuses_what_a_new_one_refuses(upgraded, change):
    with pytest.raises(sqlite3.IntegrityError):
        upgraded.execute(change)


def test_the_upgraded_database_takes_what_a_new_one_takes(upgraded):
    upgraded.execute("UPDATE payments SET unapplied = 0")
    upgraded.execute(
        "INSERT INTO payments SELECT 2, customer_id, type_id, -5000, 0, received_on, '', '', state,"
        " NULL, NULL, NULL, 1, 0, created_at, 1, 'money', NULL, 1, 1, NULL, NULL, '', NULL, 0"
        " FROM payments WHERE id = 1"
    )


SENT_AND_RETURNED = """
INSERT INTO invoices (id, kind, customer_id, reference_number, summary, purchase_order, state,
    review_state, sent_state, subtotal, tax_total, total, balance, bill_to, service_at, term_name,
    created_at, version)
    SELECT value, 'manual', 1, 'J-' || value, '', '', 'pending', 'reviewed', 'sent', 5000, 0, 5000,
    5000, '', '', '', '2025-01-01', 1 FROM json_each('[1, 2]');
UPDATE payments SET unapplied = 0, returned_on = '2025-02-01' WHERE id = 1;
INSERT INTO journal_entries (id, entry_date, memo, source_kind, source_id, reverses_id, created_at)
    VALUES (1, '2025-01-01', '', 'payment', 1, NULL, '2025-01-01'),
    (2, '2025-02-01', 'Payment returned: bounced', 'payment', 1, 1, '2025-02-01');
INSERT INTO payment_applications (id, payment_id, invoice_id, amount, applied_on, reverses_id,
    created_at)
    VALUES (1, 1, 1, 5000, '2025-01-01', NULL, '2025-01-01'),
    (2, 1, 1, -5000, '2025-02-01', 1, '2025-02-01'),
    (3, 1, 2, 5000, '2025-02-01', NULL, '2025-02-01'),
    (4, 1, 2, -5000, '2025-02-01', 3, '2025-02-01');
"""


@pytest.mark.parametrize("upgraded", [("0017", SENT_AND_RETURNED)], indirect=True)
def test_what_was_sent_stays_unknown(upgraded):
    said = upgraded.execute("SELECT sent_total, sent_number, sent_said_at FROM invoices")
    assert said.fetchall() == [(None, None, None)] * 2


@pytest.mark.parametrize("upgraded", [("0017", SENT_AND_RETURNED)], indirect=True)
def test_a_return_of_an_earlier_version_knows_what_it_took_off(upgraded):
    rows = upgraded.execute("SELECT id, returned_with_id FROM payment_applications ORDER BY id")
    assert rows.fetchall() == [(1, None), (2, None), (3, None), (4, 2)]
