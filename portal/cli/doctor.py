"""Is everything here that an installation needs?"""

from __future__ import annotations

import ctypes.util
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app

from portal.company import company
from portal.db import db, reading
from portal.db.migrate import FOLDER
from portal.documents import fonts_to_add, has_fonts
from portal.ledger import verify_books
from portal.models import Payment
from portal.outbox import mail_server_answers
from portal.payment_collection import gateway, has_gateway
from portal.settings import Settings


@dataclass(frozen=True)
class Finding:
    """OK, WARN or FAIL, and what to do."""

    mark: str
    sentence: str


def examine() -> list[Finding]:
    """Every check, none of which changes anything."""
    settings: Settings = current_app.config["SETTINGS"]
    with reading():  # somebody may be writing meanwhile
        database = [*_database(settings)]
        db.session.rollback()
    return [
        _safety(settings),
        *database,
        *_privacy(settings),
        *_disk(settings),
        *_documents(),
        *_outside(settings),
    ]


def _database(settings: Settings) -> Iterator[Finding]:
    kind = "SQLite" if settings.uses_sqlite else "PostgreSQL"
    if settings.uses_sqlite and not settings.sqlite_file.exists():
        yield Finding("FAIL", f"There is no database at {settings.sqlite_file}: run `flask found`.")
        return
    try:
        with db.engine.connect() as connection:
            now = MigrationContext.configure(connection).get_current_revision()
    except sa.exc.OperationalError as error:
        yield Finding("FAIL", f"The {kind} database cannot be reached: {error.orig}")
        return
    newest = ScriptDirectory(FOLDER).get_current_head()
    if now == newest:
        yield Finding("OK", f"{kind} answers and its schema is current ({now}).")
    else:
        yield Finding("FAIL", f"The schema is {now}, the code wants {newest}: run `flask found`.")
        return
    try:
        ZoneInfo(company().zone)
        yield Finding("OK", f"The books are kept in the zone {company().zone}.")
    except LookupError as error:
        yield Finding("FAIL", str(error))
        return
    yield _books()
    yield from _no_test_money(settings)


def _books() -> Finding:
    problems = verify_books()
    if not problems:
        return Finding("OK", "The books balance and every subledger ties out.")
    return Finding(
        "FAIL",
        f"The books do not hold ({len(problems)} found), first: {problems[0]} "
        "`flask verify-books` names them all.",
    )


def _privacy(settings: Settings) -> Iterator[Finding]:
    """Installations made before new files were private; PostgreSQL sees to its own."""
    for path in (settings.sqlite_file, settings.data_dir / "secret_key"):
        if settings.uses_sqlite and path.is_file() and path.stat().st_mode & 0o077:
            yield Finding("WARN", f"Other users of this machine can read it: chmod 600 {path}")


def _safety(settings: Settings) -> Finding:
    if settings.is_production:  # it would not have started otherwise
        return Finding("OK", f"Production: people come over https to {settings.base_url}.")
    return Finding(
        "WARN", "This is a development installation. For real use set APP_ENV=production."
    )


def _no_test_money(settings: Settings) -> Iterator[Finding]:
    """Clearing and bank of test money are apart; its fees, bad debt and disputes are not."""
    tests = sa.select(sa.func.count()).where(Payment.provider.is_not(None), ~Payment.livemode)
    count = db.session.scalar(tests.select_from(Payment)) or 0
    if count and settings.is_production:
        yield Finding(
            "FAIL",
            f"{count} payments of test money are in these books, with their fees and disputes. "
            "Begin real books in a database of their own.",
        )


def _disk(settings: Settings) -> Iterator[Finding]:
    try:
        with tempfile.TemporaryFile(dir=settings.data_dir):
            free = shutil.disk_usage(settings.data_dir).free // 2**20
    except OSError as error:
        yield Finding("FAIL", f"{settings.data_dir} cannot be written to: {error.strerror}.")
        return
    mark = "OK" if free > 500 else "WARN"
    yield Finding(mark, f"{settings.data_dir} can be written to; {free} MB are free.")


def _documents() -> Iterator[Finding]:
    missing = [
        package
        for library, package in (
            ("pango-1.0", "libpango-1.0-0"),
            ("pangoft2-1.0", "libpangoft2-1.0-0"),
        )
        if ctypes.util.find_library(library) is None
    ]
    if missing:
        yield Finding("FAIL", f"PDFs cannot be made: install {' '.join(missing)}.")
    elif not has_fonts():
        yield Finding("FAIL", "PDFs cannot be made: install a font, e.g. fonts-dejavu-core.")
    else:
        yield Finding("OK", "PDFs can be made.")
        for letters, package in fonts_to_add().items():
            yield Finding("WARN", f"{letters} print as boxes in PDFs. Install {package}.")


def _outside(settings: Settings) -> Iterator[Finding]:
    if not settings.smtp_url:
        yield Finding("WARN", "No mail server: messages are kept in the outbox. Set SMTP_URL.")
    elif problem := mail_server_answers(settings.smtp_url):
        yield Finding("FAIL", problem)
    else:
        yield Finding("OK", "The mail server answers.")
    if not has_gateway():
        yield Finding("WARN", "Online payment is off. Set STRIPE_SECRET_KEY to turn it on.")
    else:
        mode = "real money" if gateway().livemode else "no money moves"
        yield Finding("OK" if gateway().livemode else "WARN", f"Gateway {gateway().name}: {mode}.")
    queue = "Redis" if settings.redis_url else "SQLite"
    try:
        queues = current_app.extensions["queues"].values()
        waiting = sum(queue.pending_count() for queue in queues)
        yield Finding("OK", f"The task queue ({queue}) answers; {waiting} tasks wait.")
    except Exception as error:
        yield Finding("FAIL", f"The task queue ({queue}) does not answer: {error}")
