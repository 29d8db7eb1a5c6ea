"""Taking a copy of the database and putting one in its place, on both engines."""

from __future__ import annotations

import os
import shutil
import sqlite3

# pg_dump and pg_restore, no shell
import subprocess  # nosec B404
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from portal.cli.placing import before_restore, copy_beside, put_in_place
from portal.db.migrate import FOLDER
from portal.db.searching import fold
from portal.kernel.errors import DomainError
from portal.settings import Settings, environment_with

SQLITE, POSTGRESQL = "database.sqlite3", "database.dump"
IN_USE = "Something still uses the database. Stop the app (web and worker), then try again."


def dump_database(settings: Settings, folder: Path) -> Path:
    """A consistent copy in the folder, also while the app writes; changes nothing."""
    if not settings.uses_sqlite:
        dump = folder / POSTGRESQL
        _run(settings, "pg_dump", "--format=custom", f"--file={dump}", _address(settings))
        return dump
    live = settings.sqlite_file
    if not live.is_file():
        raise DomainError(f"There is no database at {live}.")
    copy = folder / SQLITE
    with (
        closing(sqlite3.connect(f"{live.as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


def refuse_unfit(settings: Settings, folder: Path, *, replace: bool) -> None:
    """Everything that speaks against loading the unpacked database; changes nothing."""
    name, other = (SQLITE, "a PostgreSQL") if settings.uses_sqlite else (POSTGRESQL, "an SQLite")
    if not (folder / name).is_file():
        raise DomainError(f"This backup is of {other} database.")
    if is_there(settings) and not replace:
        raise DomainError("There is a database already. Add --replace to overwrite it.")
    if settings.uses_sqlite:
        _check_sqlite(folder / SQLITE)
    else:
        _check_postgresql(settings, folder / POSTGRESQL)


def load_database(settings: Settings, folder: Path) -> None:
    """Put the unpacked database in place of the live one: all of it or nothing."""
    if settings.uses_sqlite:
        _load_sqlite(folder / SQLITE, settings.sqlite_file)
    else:
        _load_postgresql(settings, folder / POSTGRESQL)


def is_there(settings: Settings) -> bool:
    """Whether a database of ours is there to be replaced."""
    if settings.uses_sqlite:
        return settings.sqlite_file.exists()
    return bool(_ask(settings, "SELECT to_regclass('alembic_version') IS NOT NULL"))


def _check_sqlite(file: Path) -> None:
    try:
        # immutable: looking leaves no -wal beside it
        with closing(sqlite3.connect(f"{file.as_uri()}?immutable=1", uri=True)) as copy:
            copy.create_function("fold", 1, fold, deterministic=True)
            answer = str(copy.execute("PRAGMA integrity_check").fetchone()[0])
            revision = str(copy.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.DatabaseError, TypeError) as error:
        raise DomainError(f"The database in the backup cannot be read: {error}.") from error
    if answer != "ok":
        raise DomainError(f"The database in the backup is damaged: {answer.splitlines()[0]}")
    _refuse_newer(revision)


def _check_postgresql(settings: Settings, dump: Path) -> None:
    """Only the dump's table of the schema's revision is unpacked, as text: COPY … stdin, \\. ."""
    words = ["--data-only", "--table=alembic_version", "--file=-", str(dump)]
    lines = _run(settings, "pg_restore", *words).splitlines()
    begins = next((n for n, line in enumerate(lines) if line.startswith("COPY ")), len(lines))
    if begins + 1 >= len(lines):
        raise DomainError("The database in the backup cannot be read: it names no version.")
    _refuse_newer(lines[begins + 1].strip())


def _refuse_newer(revision: str) -> None:
    if revision not in {one.revision for one in ScriptDirectory(FOLDER).walk_revisions()}:
        raise DomainError("The backup is of a newer Fieldledger. Update this one first.")


def _load_sqlite(copy: Path, live: Path) -> None:
    """The old database stays beside the new one as `.before-restore`."""
    with copy_beside(copy, live) as staged:
        if live.exists():
            _empty_log(live)
        try:
            _keep(live)
            put_in_place(staged, live)
        except BaseException:
            _take_back(live)
            raise


def _empty_log(live: Path) -> None:
    """Bring what only the -wal holds into the file itself, and see that nobody else has it open.

    A damaged database, which one restores to be rid of, stays as it is.
    """
    try:
        with closing(sqlite3.connect(live, timeout=1)) as old:
            busy = old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise DomainError(IN_USE) from error
        raise
    except sqlite3.DatabaseError:
        return
    if busy or any(log.exists() for log in _logs(live)):  # the last one to close removes them
        raise DomainError(IN_USE)


def _keep(live: Path) -> None:
    """Give the old database, and the log of a damaged one, a second name; drop old logs."""
    for old in (live, *_logs(live)):
        kept = before_restore(old)
        kept.unlink(missing_ok=True)
        if old.exists():
            try:
                os.link(old, kept)
            except OSError:  # a file system without links; on a full disk this fails as well
                shutil.copyfile(old, kept)
    for log in _logs(live):  # after a crash nobody may replay it into the new database
        log.unlink(missing_ok=True)


def _take_back(live: Path) -> None:
    for old in (live, *_logs(live)):
        kept = before_restore(old)
        if kept.exists() and not old.exists():
            os.replace(kept, old)
        kept.unlink(missing_ok=True)


def _logs(live: Path) -> list[Path]:
    return [live.with_name(live.name + ending) for ending in ("-wal", "-shm")]


def _load_postgresql(settings: Settings, dump: Path) -> None:
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    if _ask(settings, others):
        raise DomainError(IN_USE)
    # One transaction: whatever stops it, the database is what it was before.
    whole = ["--single-transaction", "--exit-on-error", "--no-owner", "--clean", "--if-exists"]
    _run(settings, "pg_restore", *whole, f"--dbname={_address(settings)}", str(dump))


def _ask(settings: Settings, question: str) -> object:
    engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            return connection.execute(sa.text(question)).scalar()
    except sa.exc.OperationalError as error:
        raise DomainError(f"The database cannot be reached: {error.orig}") from error


def _run(settings: Settings, program: str, *words: str) -> str:
    """What the program says; DomainError with its complaint when it fails."""
    found = shutil.which(program)
    if found is None:
        raise DomainError(f"{program} is not installed; it comes with the PostgreSQL client.")
    # the password is not a word of the command: every user of the machine can read those
    password = sa.make_url(settings.database_url).password
    environment = environment_with(**({"PGPASSWORD": str(password)} if password else {}))
    done = subprocess.run(  # noqa: S603  # nosec B603
        [found, *words], check=False, capture_output=True, text=True, env=environment
    )
    if done.returncode:
        raise DomainError(f"{program} failed: {done.stderr.strip() or done.returncode}")
    return done.stdout


def _address(settings: Settings) -> str:
    url = sa.make_url(settings.database_url)
    bare = sa.URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    return bare.update_query_dict(url.query).render_as_string()
