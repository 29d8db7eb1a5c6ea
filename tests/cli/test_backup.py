"""What was backed up comes back whole, or is refused."""

import io
import tarfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.audit import verify_audit
from portal.cli.backups import read_backup, write_backup
from portal.db import db, in_transaction
from portal.db.migrate import upgrade_database
from portal.files import keep_bytes, open_file
from portal.invoices import LineWords, ManualInvoice, add_line, post_invoice, start_manual_invoice
from portal.kernel.errors import DomainError
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import verify_books
from portal.models import Invoice
from portal.seed import found_company
from portal.settings import read_settings
from wsgi import make_app


def house(folder):
    settings = read_settings({"DATA_DIR": str(folder), "SECRET_KEY": "backup tests"})
    return make_app(settings=settings, TESTING=True), settings


def furnish():
    from portal.customers import CustomerWords, add_customer

    upgrade_database()
    found_company()
    customer = add_customer(CustomerWords(name="Ada"))
    invoice = start_manual_invoice(ManualInvoice(customer=customer))
    add_line(invoice, LineWords("Labor", Quantity.of(1), UnitPrice.of(80)))
    post_invoice(invoice)
    return keep_bytes(b"a photo", "jpg", "image/jpeg").key


@pytest.fixture
def kept(tmp_path):
    """An archive of a furnished house, and the key of its one file."""
    app, settings = house(tmp_path / "old")
    with app.app_context():
        key = in_transaction(furnish)
        db.session.remove()
        archive = tmp_path / "kept.tar.gz"
        write_backup(settings, archive)
        db.engine.dispose()
    return archive, key


def test_figures_files_and_trail_come_back(kept, tmp_path):
    archive, key = kept
    app, settings = house(tmp_path / "new")
    read_backup(settings, archive, replace=True)

    with app.app_context():
        assert db.session.scalars(sa.select(Invoice.document_number)).one() == "INV-2026-00001"
        assert open_file(key) == b"a photo"
        assert verify_books() == []
        assert verify_audit() == []
        db.session.remove()
        db.engine.dispose()


def test_data_that_is_there_is_not_overwritten_unasked(kept, tmp_path):
    archive, _key = kept
    _app, settings = house(tmp_path / "old")

    with pytest.raises(DomainError, match="Add --replace"):
        read_backup(settings, archive, replace=False)


def test_a_damaged_archive_is_refused_before_anything_changes(kept, tmp_path):
    archive, _key = kept
    hurt = tmp_path / "hurt.tar.gz"
    with tarfile.open(archive) as old, tarfile.open(hurt, "w:gz") as new:
        for member in old:
            content = old.extractfile(member).read() if member.isfile() else b""
            if member.name.endswith("database.sqlite3"):
                content = content[:-1] + b"x"
            new.addfile(member, io.BytesIO(content))
    _app, settings = house(tmp_path / "fresh")

    with pytest.raises(DomainError, match="does not match its checksum"):
        read_backup(settings, hurt, replace=True)

    assert not (tmp_path / "fresh" / "fieldledger.sqlite3").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b broken"])
def test_what_is_no_backup_is_told_in_words(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    _app, settings = house(tmp_path / "fresh")

    with pytest.raises(DomainError, match="not a backup"):
        read_backup(settings, tmp_path / "x", replace=True)


def test_a_full_disk_leaves_no_half_backup(kept, tmp_path, monkeypatch):
    archive, _key = kept
    before = archive.read_bytes()
    _app, settings = house(tmp_path / "old")

    def full(*_words, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "add", full)
    with pytest.raises(OSError, match="No space left"):
        write_backup(settings, archive)

    assert archive.read_bytes() == before
    assert Path(f"{archive}.part").exists() is False
