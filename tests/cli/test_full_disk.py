"""A disk that fills up while people work: a clear sentence, nothing lost, and on it goes."""

from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from portal.access import PersonWords, add_person, roles, sign_in_user
from portal.audit import verify_audit
from portal.db import db, in_transaction
from portal.ledger import verify_books
from portal.models import Customer
from tests.cli.houses import fill, furnish, house, small_disk
from tests.conftest import Browser

LONG = "A note that needs a page of its own. " * 200


@contextmanager
def open_house(folder):
    """A furnished house at work, and the browser of somebody in its office."""
    app, settings = house(folder)
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = Browser
    with app.app_context():
        in_transaction(furnish)
        token = in_transaction(sign_in_olive)
        browser = app.test_client()
        browser.set_cookie("fieldledger_staff", token)
        try:
            yield settings, browser
        finally:
            db.session.remove()
            db.engine.dispose()


def sign_in_olive():
    role = next(one for one in roles() if one.name == "Administrator")
    olive = add_person(PersonWords(name="Olive", email="olive@acme.example", role=role))
    return sign_in_user(olive, ip="127.0.0.1", agent="pytest")


def save_customer(browser, name):
    words = {"name": name, "delivery": "email", "language": "en", "active": "y", "notes": LONG}
    return browser.post("/staff/customers", data=words)


def save_until_full(browser):
    """How many customers could be saved, and the answer to the one that could not."""
    for number in range(500):
        answer = save_customer(browser, f"Customer {number}")
        if answer.status_code != 303:
            return number, answer
    raise AssertionError("the disk never filled up")


def customers():
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(Customer))


def check_nothing_is_lost(saved):
    assert customers() == 1 + saved
    assert verify_books() == []
    assert verify_audit() == []
    db.session.rollback()


def test_a_database_that_cannot_grow_is_told_and_loses_nothing(tmp_path):
    with open_house(tmp_path / "data") as (_settings, browser):
        with db.engine.connect() as connection:
            pages = connection.scalar(sa.text("PRAGMA page_count"))

        def limit(connection, _record):
            connection.execute(f"PRAGMA max_page_count={pages + 12}")

        db.session.remove()
        db.engine.dispose()
        sa.event.listen(db.engine, "connect", limit)
        saved, answer = save_until_full(browser)
        assert answer.status_code == 507
        assert "The disk of the server is full. Nothing was saved." in answer.text
        check_nothing_is_lost(saved)

        sa.event.remove(db.engine, "connect", limit)
        db.session.remove()
        db.engine.dispose()
        assert save_customer(browser, "After that").status_code == 303
        check_nothing_is_lost(saved + 1)


@pytest.mark.parametrize("room", [60_000, 400_000])
def test_a_really_full_disk_is_told_and_loses_nothing(tmp_path, room):
    with (
        small_disk(tmp_path / "disk", megabytes=16) as disk,
        open_house(disk / "data") as (_settings, browser),
    ):
        fill(disk, but=room)
        saved, answer = save_until_full(browser)
        assert answer.status_code == 507
        assert "The disk of the server is full. Nothing was saved." in answer.text
        check_nothing_is_lost(saved)

        (disk / "ballast").unlink()
        assert save_customer(browser, "After that").status_code == 303
        check_nothing_is_lost(saved + 1)
