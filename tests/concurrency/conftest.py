"""Acts that begin at the same moment, each in a thread with its own connection."""

import threading

import pytest

from portal.db import db


def pytest_generate_tests(metafunc):
    """A race is run as often as `--rounds` says: which thread is first is up to chance."""
    if "turn" in metafunc.fixturenames:
        metafunc.parametrize("turn", range(metafunc.config.getoption("--rounds")))


@pytest.fixture
def at_once(app):
    """Run all acts together; what each raised, in their order."""

    def run(*acts):
        db.session.commit()
        db.session.remove()
        together, raised = threading.Barrier(len(acts)), [None] * len(acts)

        def play(number, act):
            with app.app_context():
                together.wait(20)
                try:
                    act()
                except Exception as error:
                    raised[number] = error
                finally:
                    db.session.remove()

        threads = [threading.Thread(target=play, args=pair) for pair in enumerate(acts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return raised

    return run
