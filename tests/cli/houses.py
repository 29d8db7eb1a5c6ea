"""Whole installations of their own for the tests of backup and restore."""

import os
import sqlite3
import subprocess
from contextlib import closing, contextmanager

import pytest

from portal.customers import CustomerWords, add_customer
from portal.db import db, in_transaction
from portal.db.migrate import upgrade_database
from portal.files import keep_bytes
from portal.invoices import LineWords, ManualInvoice, add_line, post_invoice, start_manual_invoice
from portal.kernel.numbers import Quantity, UnitPrice
from portal.seed import found_company
from portal.settings import read_settings
from wsgi import make_app


def house(folder, **more):
    """An app and its settings; nothing is in the folder yet but what the app needs to start."""
    environ = {"DATA_DIR": str(folder), "SECRET_KEY": "backup tests", **more}
    settings = read_settings({name: value for name, value in environ.items() if value})
    return make_app(settings=settings, TESTING=True), settings


def furnish(name="My Company"):
    """A company with one posted invoice and one file; returns the file's key."""
    upgrade_database()
    found_company(name)
    customer = add_customer(CustomerWords(name="Ada"))
    invoice = start_manual_invoice(ManualInvoice(customer=customer))
    add_line(invoice, LineWords("Labor", Quantity.of(1), UnitPrice.of(80)))
    post_invoice(invoice)
    return keep_bytes(b"a photo", "jpg", "image/jpeg").key


def furnished_house(folder, name="My Company", **more):
    """The same, furnished and shut again; returns settings and the file's key."""
    app, settings = house(folder, **more)
    with app.app_context():
        key = in_transaction(lambda: furnish(name))
        db.session.remove()
        db.engine.dispose()
    return settings, key


def company_in(file):
    """Which company an SQLite file holds, read past the app."""
    with closing(sqlite3.connect(file)) as database:
        return database.execute("SELECT name FROM companies").fetchone()[0]


@contextmanager
def small_disk(folder, megabytes):
    """A file system of its own that is soon full; skips where the machine does not allow it."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a small disk is not allowed here")
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder, *, but=0):
    """Leave just so many bytes."""
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    with ballast.open("wb") as file:
        disk = os.statvfs(folder)
        os.posix_fallocate(file.fileno(), 0, max(disk.f_bavail * disk.f_frsize - but, 4096))
