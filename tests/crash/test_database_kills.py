"""PostgreSQL itself is killed in the middle of each journey, and comes back: nothing is lost.

The app is not started again: it meets the broken connections, and goes on when it can. Runs
whatever --engine says, on a server of its own.
"""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
import sqlalchemy as sa

from portal.db import db, in_transaction
from portal.db.migrate import upgrade_database
from portal.kernel import clock
from portal.seed import found_company
from portal.settings import read_settings
from tests.builders import Build
from tests.conftest import MONDAY
from tests.crash.dying import find_place, striking
from tests.crash.fallible import fallible_server
from tests.crash.journeys import JOURNEYS, print_quickly
from tests.crash.test_matrix import goes_on, holds, post_office  # noqa: F401  (a fixture)
from tests.engines import EmptiedTables
from wsgi import make_app

PARTS = ("postmaster", "backend")
fallen: Counter[str] = Counter()

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def server():
    with fallible_server() as server:
        yield server


@pytest.fixture(scope="module")
def founded(server, tmp_path_factory):
    """The app on that server, and what gives it a fresh database."""
    settings = {
        "DATA_DIR": str(tmp_path_factory.mktemp("fallible")),
        "DATABASE_URL": (url := server.create("fallible")),
        "SECRET_KEY": "crash",
        "BASE_URL": "http://localhost",
    }
    app = make_app(settings=read_settings(settings), TESTING=True)
    print_quickly(app)
    engine = EmptiedTables(url)

    def found():
        upgrade_database()
        in_transaction(found_company)

    with clock.frozen(MONDAY):
        engine.prepare(app, found)
    yield app, engine
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def build(founded, post_office):  # noqa: F811
    app, engine = founded
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], smtp_url=post_office[1])
    with app.app_context():
        engine.fresh()
        app.extensions["wakes"].clear()
        yield Build()
        db.session.remove()


@pytest.fixture
def box(post_office):  # noqa: F811
    box, _url = post_office
    box.mails.clear()
    return box.mails


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_killed_database_loses_and_doubles_nothing(
    build, box, server, monkeypatch, seed, figure, name, fall
):
    print(command(seed, name, fall))
    journey, random = JOURNEYS[name], Random(f"{seed} {name} {fall}")
    part = PARTS[(fall + list(JOURNEYS).index(name)) % len(PARTS)]
    journey.prepare(build)
    db.session.commit()
    place = random.choice(list(journey.places))
    when, times = random.choice(["before", "after"]), random.randint(1, journey.places[place])

    def strike():
        fallen[part] += 1
        server.fall(part)

    owner, last = find_place(place)
    with monkeypatch.context() as broken:
        broken.setattr(owner, last, striking(getattr(owner, last), when, times, strike))
        before = fallen[part]
        lives_through(journey.live)
        assert fallen[part] == before + 1, f"{place} was not reached"
    server.rise()

    holds(journey, box)
    goes_on(journey, box)
    figure(f"kills of a {part}", fallen[part])


def lives_through(live):
    """As a request or a worker would: what breaks off is rolled back, the process goes on."""
    try:
        live()
    except sa.exc.DBAPIError:
        pass
    finally:
        try:
            db.session.rollback()
        finally:
            db.session.remove()


def command(seed, name, fall):
    """The one command that does the same again."""
    test = f"{test_a_killed_database_loses_and_doubles_nothing.__name__}[{fall}-{name}]"
    return (
        f"again: .venv/bin/python -m pytest 'tests/crash/test_database_kills.py::{test}' "
        f"--kills={2 * fall + 1} --seed={seed}"
    )
