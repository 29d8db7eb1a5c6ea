"""SIGKILL at every place of five journeys: nothing is lost, nothing is doubled, the books hold.

`--kills=10` strikes each place ten times: before or after it, on the way the first time or later,
and now and then the worker that comes to clear up is killed as well. What a kill does follows
from --seed, its place and its number alone: a failure prints the one command that repeats it.
"""

import signal
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from aiosmtpd.controller import Controller

from portal.audit import verify_audit
from portal.db import db
from portal.kernel import clock
from portal.ledger import verify_books
from tests.crash.dying import STATEMENT, mortals
from tests.crash.journeys import JOURNEYS, print_quickly, work
from tests.crash.journeys.journey import message_ids
from tests.servers.launching import free_port
from tests.servers.mail_server import Box

CASES = [(name, place) for name, one in JOURNEYS.items() for place in [*one.places, STATEMENT]]
STATEMENTS = 12  # every journey sends more
killed: Counter[str] = Counter()
again: Counter[str] = Counter()

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def post_office():
    """A mail server, its address and what it took."""
    box, port = Box(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"smtp://127.0.0.1:{port}"
    controller.stop()


@pytest.fixture(scope="module")
def traveller(whole_app, database, post_office, tmp_path_factory):
    folder = tmp_path_factory.mktemp("traveller")
    words = (str(folder), database.url, post_office[1])
    with mortals("tests.crash.traveller", *words, log=folder / "traveller.log") as driver:
        yield driver


@pytest.fixture
def box(app, post_office):
    """An empty letter box; the app here sends there too."""
    box, url = post_office
    box.mails.clear()
    before, printers = app.config["SETTINGS"], app.extensions["document renderers"]
    app.config["SETTINGS"] = replace(before, smtp_url=url)
    print_quickly(app)
    yield box.mails
    app.config["SETTINGS"], app.extensions["document renderers"] = before, printers


@pytest.mark.parametrize(("name", "place"), CASES)
def test_a_kill_anywhere_loses_and_doubles_nothing(
    build, traveller, box, seed, figure, pytestconfig, name, place, kill
):
    print(command(pytestconfig, seed, name, place, kill))
    journey, random = JOURNEYS[name], Random(f"{seed} {name} {place} {kill}")
    journey.prepare(build)

    assert dies(traveller, *death(random, journey, place), name, "live", "0"), (
        traveller.last_words()
    )
    holds(journey, box)
    if random.random() < 1 / 3:  # who comes to clear up is killed too, if it comes so far
        dies(traveller, *death(random, journey), name, "work", minutes_after(journey))
        holds(journey, box)
    goes_on(journey, box)

    again[name] += len(message_ids(box)) - len(set(message_ids(box)))
    figure(f"{name}: kills", killed[name])
    figure(f"{name}: lost or doubled", 0)
    figure(f"{name}: mails handed over again, same Message-ID", again[name])


def death(random, journey, place=""):
    """Where, before or after, and at which coming it dies."""
    place = place or random.choice([*journey.places, STATEMENT])
    passes = STATEMENTS if place == STATEMENT else journey.places[place]
    return place, random.choice(["before", "after"]), random.randint(1, passes)


def dies(traveller, place, when, times, *life):
    """Whether it was killed on the way; we hold nothing of the database meanwhile."""
    db.session.commit()
    db.session.remove()
    ended = traveller.die(place, when, times, *life)
    assert ended in (0, -signal.SIGKILL), traveller.last_words()
    killed[life[0]] += ended != 0
    return ended != 0


def goes_on(journey, box):
    """The worker clears up, then people go on where they stopped, and all is well."""
    for later in journey.clearing_up():
        with clock.frozen(later):
            work()
    holds(journey, box)
    with clock.frozen(journey.clearing_up()[-1]):
        journey.live()
        work()
    holds(journey, box)
    journey.at_the_end(box)


def minutes_after(journey):
    """Five minutes after its end, as the traveller's clock is told."""
    return str(5 + journey.lasts // timedelta(minutes=1))


def holds(journey, box):
    """Nothing lost or doubled so far, and the books and the audit trail verify."""
    db.session.rollback()
    journey.check(box)
    assert verify_books() == []
    db.session.rollback()
    assert verify_audit() == []
    db.session.rollback()


def command(config, seed, name, place, kill):
    """The one command that does the same again."""
    test = f"{test_a_kill_anywhere_loses_and_doubles_nothing.__name__}[{kill}-{name}-{place}]"
    engine = config.getoption("--engine")
    return (
        f"again: .venv/bin/python -m pytest 'tests/crash/test_matrix.py::{test}' "
        f"--kills={kill + 1} --seed={seed} --engine={engine}"
    )
