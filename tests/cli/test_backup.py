"""What was backed up comes back whole, or is refused."""

import io
import json
import tarfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.audit import verify_audit
from portal.cli.backups import read_backup, write_backup
from portal.db import db
from portal.files import open_file
from portal.kernel.errors import DomainError
from portal.ledger import verify_books
from portal.models import Invoice, RefundReason
from tests.cli.houses import company_in, furnished_house, house


def rewritten(archive, change):
    """The archive with its contents by name as `change` leaves them."""
    with tarfile.open(archive) as old:
        held = {one.name: old.extractfile(one).read() for one in old if one.isfile()}
    change(held)
    hurt = archive.with_name("hurt.tar.gz")
    with tarfile.open(hurt, "w:gz") as new:
        for name, content in held.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return hurt


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


def test_the_key_comes_back_and_the_old_one_is_kept(tmp_path):
    settings, _key = furnished_house(tmp_path / "old", SECRET_KEY="")
    write_backup(settings, tmp_path / "kept.tar.gz")
    other, _key = furnished_house(tmp_path / "new", SECRET_KEY="")
    read_backup(other, tmp_path / "kept.tar.gz", replace=True)

    assert (tmp_path / "new" / "secret_key").read_text() == settings.secret_key
    assert (tmp_path / "new" / "secret_key.before-restore").read_text() == other.secret_key


def test_data_that_is_there_is_not_overwritten_unasked(kept, tmp_path):
    archive, _key = kept
    _app, settings = house(tmp_path / "old")

    with pytest.raises(DomainError, match="Add --replace"):
        read_backup(settings, archive, replace=False)


def test_a_damaged_archive_is_refused_before_anything_changes(kept, tmp_path):
    def hurt(held):
        held["database.sqlite3"] = held["database.sqlite3"][:-1] + b"x"

    archive = rewritten(kept[0], hurt)
    _app, settings = house(tmp_path / "fresh")

    with pytest.raises(DomainError, match="does not match its checksum"):
        read_backup(settings, archive, replace=True)

    assert not (tmp_path / "fresh" / "fieldledger.sqlite3").exists()


def test_a_file_the_manifest_does_not_name_is_refused(kept, tmp_path):
    def hurt(held):
        manifest = json.loads(held["manifest.json"])
        del manifest["files"]["database.sqlite3"]
        held["manifest.json"] = json.dumps(manifest).encode()

    archive = rewritten(kept[0], hurt)
    _app, settings = house(tmp_path / "fresh")

    with pytest.raises(DomainError, match=r"database.sqlite3 is not in its manifest"):
        read_backup(settings, archive, replace=True)


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
    with pytest.raises(DomainError, match=r"The disk is full. No backup was written."):
        write_backup(settings, archive)

    assert archive.read_bytes() == before
    assert Path(f"{archive}.part").exists() is False
    assert list(tmp_path.glob(".backup-*")) == []


def test_nobody_else_can_read_backup_database_and_folder(kept, tmp_path):
    archive, _key = kept

    modes = [
        path.stat().st_mode & 0o777
        for path in (archive, tmp_path / "old", tmp_path / "old" / "fieldledger.sqlite3")
    ]

    assert modes == [0o600, 0o700, 0o600]


def test_a_backup_of_nothing_is_refused(tmp_path):
    _app, settings = house(tmp_path / "none")

    with pytest.raises(DomainError, match="There is no database at"):
        write_backup(settings, tmp_path / "b.tar.gz")

    assert not (tmp_path / "b.tar.gz").exists()
    assert not settings.sqlite_file.exists()


def test_a_relative_address_lies_in_the_data_folder_wherever_one_stands(tmp_path, monkeypatch):
    place = {"DATABASE_URL": "sqlite:///books.sqlite3"}
    settings, _key = furnished_house(tmp_path / "old", "Relative", **place)
    monkeypatch.chdir(tmp_path)
    write_backup(settings, tmp_path / "b.tar.gz")
    _app, other = house(tmp_path / "new", **place)
    read_backup(other, tmp_path / "b.tar.gz", replace=False)

    assert company_in(tmp_path / "old" / "books.sqlite3") == "Relative"
    assert company_in(tmp_path / "new" / "books.sqlite3") == "Relative"
    assert not (tmp_path / "books.sqlite3").exists()


def test_the_commands_back_up_restore_and_say_where_the_old_one_is(tmp_path):
    archive = tmp_path / "kept.tar.gz"
    settings, _key = furnished_house(tmp_path / "data", "Kept")
    app, _settings = house(tmp_path / "data")
    run = app.test_cli_runner()
    with app.app_context():
        kept = run.invoke(args=["backup", str(archive)])
        refused = run.invoke(args=["restore", str(archive)])
        restored = run.invoke(args=["restore", str(archive), "--replace"])
        db.session.remove()
        db.engine.dispose()

    assert (kept.exit_code, kept.output.startswith("Backed up to")) == (0, True)
    assert (refused.exit_code, "Add --replace" in refused.output) == (1, True)
    assert (restored.exit_code, "Restored; the books balance." in restored.output) == (0, True)
    assert f"is kept as {settings.sqlite_file}.before-restore." in restored.output


def test_what_an_older_version_lacked_is_made_when_it_is_restored(tmp_path):
    archive = tmp_path / "kept.tar.gz"
    furnished_house(tmp_path / "data", "Kept")
    app, settings = house(tmp_path / "data")
    with app.app_context():
        db.session.execute(sa.delete(RefundReason))
        db.session.commit()
        write_backup(settings, archive)
        restored = app.test_cli_runner().invoke(args=["restore", str(archive), "--replace"])
        reasons = db.session.scalar(sa.select(sa.func.count()).select_from(RefundReason))
        db.session.remove()
        db.engine.dispose()

    assert (restored.exit_code, reasons > 0) == (0, True)
    assert company_in(settings.sqlite_file) == "Kept"
