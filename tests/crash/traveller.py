"""Lives one of the journeys, or a worker's turn after one, until it is killed."""

from __future__ import annotations

import sys
from datetime import timedelta

from portal.kernel import clock
from portal.settings import read_settings
from tests.conftest import MONDAY
from tests.crash.dying import serve_deaths
from tests.crash.journeys import JOURNEYS, print_quickly, work


def live(journey: str, act: str, minutes: str) -> None:
    """`act` is live or work; the clock stands so many minutes after Monday."""
    with clock.frozen(MONDAY + timedelta(minutes=int(minutes))):
        if act == "live":
            JOURNEYS[journey].live()
        else:
            work()


def main(data_dir: str, database_url: str, smtp_url: str) -> None:
    from wsgi import make_app

    settings = {
        "DATA_DIR": data_dir,
        "DATABASE_URL": database_url,
        "SMTP_URL": smtp_url,
        "SECRET_KEY": "crash",
        "BASE_URL": "http://localhost",
    }
    app = make_app(settings=read_settings(settings), TESTING=True)
    print_quickly(app)
    serve_deaths(app, live)


if __name__ == "__main__":
    main(*sys.argv[1:])
