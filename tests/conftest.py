"""The world is safe by default: frozen clock, no network, fresh database, balanced books."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask, has_request_context, request
from flask.testing import FlaskClient

from portal.access import passwords, person_of_email, sign_in_payer, sign_in_user
from portal.audit import verify_audit
from portal.company import speak_in
from portal.db import db, in_transaction
from portal.db.migrate import upgrade_database
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.ledger import verify_books
from portal.models import AccountingPeriod, Invoice, JournalEntry, Payment
from portal.seed import found_company
from portal.settings import read_settings
from tests.builders import Build
from tests.engines import Engine, PostgresEngine, SqliteEngine
from tests.servers.mail_server import smtp  # noqa: F401  (a fixture for every test)
from wsgi import make_app

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
CONNECTIONS = 20  # sixteen posters at once keep theirs; connecting anew costs more than a test
LOCAL = {"127.0.0.1", "::1", "localhost"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", default="sqlite", choices=["sqlite", "postgresql"])
    parser.addoption("--orders", type=int, default=24, help="of 1080 orders of webhooks")
    parser.addoption("--rounds", type=int, default=4, help="how often each race is run")
    parser.addoption("--kills", type=int, default=1, help="at each place of tests/crash")
    parser.addoption("--isolation", default="read committed", help="of PostgreSQL's transactions")
    parser.addoption("--life-steps", type=int, default=400, help="steps of tests/properties")
    parser.addoption("--fuzz", type=int, default=3_000, help="webhooks made up and sent in")
    parser.addoption("--seed", type=int, default=20261121, help="what made-up things come from")
    parser.addoption("--figures", default="", help="a file to add measured figures to, as JSON")
    parser.addoption("--timelines", type=int, default=300, help="simulated contacts of collections")
    parser.addoption("--life-seed", type=int, help="which lives: printed by a run that failed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Concurrency is proven on PostgreSQL: SQLite has one writer."""
    if config.getoption("--engine") == "postgresql":
        return
    deselected = [item for item in items if item.get_closest_marker("concurrency")]
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if item not in deselected]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but this machine can be reached, by name or by number, asked or just sent to."""

    def guarded(real: Any, place: int) -> Any:
        def call(self: socket.socket, *words: Any) -> Any:
            address = words[place] if place < len(words) else words[-1]
            if isinstance(address, tuple) and address[0] not in LOCAL:
                pytest.fail(f"a test tried to reach {address}")
            return real(self, *words)

        return call

    for name, place in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name), place))
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *words: Any, **more: Any) -> Any:
        if host is not None and host not in LOCAL:
            pytest.fail(f"a test tried to look up {host}")
        return look_up(host, *words, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture(scope="session")
def real_hasher() -> Iterator[PasswordHasher]:
    """What the house hashes passwords with; the tests take the same way with less work."""
    real, passwords._hasher = passwords._hasher, PasswordHasher(1, 8, 1)
    passwords._nobodys_hash.cache_clear()
    yield real
    passwords._hasher = real
    passwords._nobodys_hash.cache_clear()


@pytest.fixture(autouse=True)
def quick_passwords(real_hasher: PasswordHasher) -> None:
    """Each hash is made to cost 50 ms and 64 MiB; test_office_door proves that it does."""


@pytest.fixture(autouse=True)
def monday() -> Iterator[datetime]:
    with clock.frozen(MONDAY):
        yield MONDAY


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Note a measured figure for docs/reliability.md; see bench/reliability.py."""
    path = request.config.getoption("--figures")
    engine = request.config.getoption("--engine")

    def note(name: str, value: object) -> None:
        if path:
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"name": name, "engine": engine, "value": str(value)}) + "\n")

    return note


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What random choices begin from; printed with every failure, and given by --seed."""
    chosen: int = request.config.getoption("--seed")
    print(f"seed {chosen}: run this test again with --seed={chosen}")
    return chosen


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("database")
    if request.config.getoption("--engine") == "sqlite":
        return SqliteEngine(folder)
    isolation = request.config.getoption("--isolation")
    return PostgresEngine(folder, os.environ.get("PYTEST_XDIST_WORKER", "main"), isolation)


@pytest.fixture(scope="session")
def whole_app(database: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The app, built once per session; its database is founded once."""
    settings = read_settings(
        {
            "DATA_DIR": str(tmp_path_factory.mktemp("data")),
            "DATABASE_URL": database.url,
            "SECRET_KEY": "tests only",
            "BASE_URL": "http://localhost",
        }
    )
    app = make_app(
        settings=settings,
        TESTING=True,
        WTF_CSRF_ENABLED=False,
        SQLALCHEMY_ENGINE_OPTIONS={"pool_size": CONNECTIONS},
    )
    app.test_client_class = Browser

    def found() -> None:
        upgrade_database()
        in_transaction(lambda: found_company("Acme Home Services"))

    with clock.frozen(MONDAY):
        database.prepare(app, found)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    database.drop()


@pytest.fixture
def app(whole_app: Flask, database: Engine) -> Iterator[Flask]:
    """The app with a fresh database; after the test the books must balance."""
    with whole_app.app_context():
        database.fresh()
        speak_in("USD")
        whole_app.extensions["wakes"].clear()
        yield whole_app
        keep_what_is_left()
        assert not has_books() or verify_books() == []
        db.session.rollback()
        db.session.remove()
        assert verify_audit() == []
        db.session.remove()
        shutil.rmtree(whole_app.config["SETTINGS"].data_dir / "files", ignore_errors=True)


def keep_what_is_left() -> None:
    """What a test did and did not commit must balance too; what it broke off is gone."""
    try:
        db.session.flush()
        db.session.execute(sa.select(1))
    except (sa.exc.SQLAlchemyError, DomainError):
        db.session.rollback()
        db.session.remove()


def has_books() -> bool:
    """Whether the test left anything the books are about: without it nothing can be off."""
    tables = (Invoice, Payment, JournalEntry, AccountingPeriod)
    return bool(
        db.session.scalar(sa.select(sa.or_(*(sa.exists(sa.select(table.id)) for table in tables))))
    )


class Browser(FlaskClient):
    """What a test built is committed before the browser comes, and read afresh afterwards."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        db.session.commit()
        with self.application.app_context():  # each request has its own g and session
            reply = super().open(*args, **kwargs)
        db.session.expire_all()
        return reply


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser nobody signed in with."""
    return app.test_client()


@pytest.fixture
def build(app: Flask) -> Build:
    return Build()


@pytest.fixture
def office(app: Flask, build: Build) -> FlaskClient:
    """The browser of an administrator."""
    return staff_client(app, build, "Administrator")


def staff_client(app: Flask, build: Build, role: str) -> FlaskClient:
    """A browser signed in as somebody with this role."""
    email = f"{role.lower().replace(' ', '')}@acme.example"
    person = person_of_email(email) or build.person(role.title(), email=email, role=role)
    token = sign_in_user(person, ip="127.0.0.1", agent="pytest")
    db.session.commit()
    browser = app.test_client()
    browser.set_cookie("fieldledger_staff", token)
    return browser


def payer_client(app: Flask, email: str) -> FlaskClient:
    """A browser signed in to the customer portal under this address."""
    token = sign_in_payer(email, ip="127.0.0.1", agent="pytest")
    db.session.commit()
    browser = app.test_client()
    browser.set_cookie("fieldledger_customer", token)
    return browser


@contextmanager
def count_statements() -> Iterator[list[str]]:
    """Every SQL statement sent inside; lists must not grow with the number of rows."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


PAID_STATE = {"credited", "written_off"}  # columns a list must ask for: WITH_PAID_STATE


@sa.event.listens_for(Invoice, "refresh")
def no_list_reads_the_paid_state_row_by_row(
    invoice: Invoice, _context: object, names: Collection[str] | None
) -> None:
    """The page of one invoice may read it on its own; a second one on a page is a list."""
    if not names or not PAID_STATE.issuperset(names) or not has_request_context():
        return
    seen = request.environ.setdefault("tests.paid_state", set())
    seen.add(sa.inspect(invoice).identity)
    if len(seen) > 1:
        pytest.fail(f"{request.path} reads the paid state of each invoice by a statement")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Third-party data beside the project; CI must have it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if folder.is_dir():
        return folder
    if os.environ.get("CI"):
        pytest.fail(f"{folder} is missing in CI")
    pytest.skip("the shared data folder is not beside the project")
