"""A restore that fails leaves the live house whole, whatever stopped it."""

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
from contextlib import closing

import pytest

from portal.cli import databases, placing
from portal.cli.backups import read_backup, write_backup
from portal.kernel.errors import DomainError
from tests.cli.houses import company_in, fill, furnished_house, house, small_disk


@pytest.fixture
def live(tmp_path):
    """A house whose newest payment stands in the log only, as after a crash."""
    settings, _key = furnished_house(tmp_path / "live", "Live", SECRET_KEY="")
    rename_in_the_log(settings.sqlite_file, "Live, logged")
    return settings


def rename_in_the_log(file, name):
    """Commit something and leave it in the -wal, as a killed process does."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE companies SET name = ?", [name])
        database.commit()
        aside = [(path, path.with_name(f"aside{path.suffix}")) for path in wal(file)]
        for path, copy in aside:
            shutil.copy(path, copy)
    for path, copy in aside:
        os.replace(copy, path)


def wal(file):
    return [path for path in file.parent.glob(f"{file.name}-*") if path.name.endswith("-wal")]


def everything(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("tasks."))


def no_room(*_words, **_more):
    raise OSError(28, "No space left on device")


def test_a_restore_keeps_the_old_database_with_all_that_was_committed(kept, live):
    assert wal(live.sqlite_file)
    read_backup(live, kept[0], replace=True)
    before = live.sqlite_file.with_name("fieldledger.sqlite3.before-restore")

    assert company_in(live.sqlite_file) == "Kept"
    assert company_in(before) == "Live, logged"


STEPS = [
    (tarfile.TarFile, "extractall"),
    (placing.os, "fsync"),
    (placing.os, "replace"),
    (databases, "put_in_place"),
    (databases, "_keep"),
]


@pytest.mark.parametrize(("owner", "name"), STEPS, ids=[name for _, name in STEPS])
def test_a_disk_that_is_full_at_any_step_changes_nothing(kept, live, monkeypatch, owner, name):
    key = (live.data_dir / "secret_key").read_text()
    names = {*everything(live.data_dir)}
    monkeypatch.setattr(owner, name, no_room)
    with pytest.raises(DomainError, match=r"^The disk is full\. Nothing was changed\.$"):
        read_backup(live, kept[0], replace=True)
    monkeypatch.undo()

    assert company_in(live.sqlite_file) == "Live, logged"
    assert (live.data_dir / "secret_key").read_text() == key
    assert {*everything(live.data_dir)} <= names


def test_a_really_full_disk_changes_nothing(kept, tmp_path):
    with small_disk(tmp_path / "disk", megabytes=16) as disk:
        settings, key = furnished_house(disk / "data", "Live")
        rename_in_the_log(settings.sqlite_file, "Live, logged")
        for room in (0, 100_000, 500_000, 800_000):
            fill(disk, but=room)
            with pytest.raises(DomainError, match=r"The disk is full\. Nothing was changed\."):
                read_backup(settings, kept[0], replace=True)
            (disk / "ballast").unlink()  # SQLite wants room for its -shm even to read
            assert company_in(settings.sqlite_file) == "Live, logged"
            assert (settings.data_dir / "files" / key[:2] / key).read_bytes() == b"a photo"
        read_backup(settings, kept[0], replace=True)
        assert company_in(settings.sqlite_file) == "Kept"


def test_a_house_in_which_somebody_still_works_is_not_replaced(kept, live):
    with closing(sqlite3.connect(live.sqlite_file)) as app:
        app.execute("SELECT name FROM companies").fetchall()
        with pytest.raises(DomainError, match="Stop the app"):
            read_backup(live, kept[0], replace=True)

    assert company_in(live.sqlite_file) == "Live, logged"


def test_a_broken_database_can_be_replaced(kept, live):
    for log in live.data_dir.glob("fieldledger.sqlite3-*"):
        log.unlink()
    live.sqlite_file.write_bytes(b"no database any more" * 1000)
    read_backup(live, kept[0], replace=True)

    assert company_in(live.sqlite_file) == "Kept"


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:40_000]), "The database in the backup"),
        (lambda file: file.write_bytes(b"words" * 5000), "cannot be read"),
        (lambda file: change_revision(file), "of a newer Fieldledger"),
    ],
)
def test_a_database_that_would_not_do_is_refused_before(kept, live, tmp_path, harm, sentence):
    archive = repacked(kept[0], tmp_path / "work", harm)
    with pytest.raises(DomainError, match=sentence):
        read_backup(live, archive, replace=True)

    assert company_in(live.sqlite_file) == "Live, logged"


def change_revision(file):
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def repacked(archive, work, harm, name="database.sqlite3"):
    """The archive with one file harmed before it was packed: every checksum is right."""
    with tarfile.open(archive) as old:
        old.extractall(work, filter="data")
    harm(work / name)
    manifest = json.loads((work / "manifest.json").read_text())
    manifest["files"][name] = hashlib.sha256((work / name).read_bytes()).hexdigest()
    (work / "manifest.json").write_text(json.dumps(manifest))
    hurt = archive.with_name("repacked.tar.gz")
    with tarfile.open(hurt, "w:gz") as new:
        new.add(work, arcname=".")
    return hurt


def test_an_empty_folder_keeps_no_key_of_its_own(tmp_path):
    old, _key = furnished_house(tmp_path / "old", "Kept", SECRET_KEY="")
    archive = tmp_path / "kept.tar.gz"
    write_backup(old, archive)
    _app, new = house(tmp_path / "new", SECRET_KEY="")
    made = (new.data_dir / "secret_key").read_text()

    read_backup(new, archive, replace=False)

    assert (new.data_dir / "secret_key").read_text() == old.secret_key != made
    assert not list(new.data_dir.glob("*.before-restore"))
