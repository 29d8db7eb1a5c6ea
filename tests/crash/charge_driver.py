"""Charges a saved method and is killed at a named place.

The TEST GATEWAY keeps its rows in its own transactions, as a foreign system would, so it
remembers what the killed process had asked it.
"""

from __future__ import annotations

import sys

import sqlalchemy as sa

from portal.db import db
from portal.kernel.money import ZERO
from portal.models import AttemptPurpose, Invoice, SavedMethod
from portal.payment_collection import ChargeWanted, charge_method
from portal.settings import read_settings
from tests.crash.dying import serve_deaths


def charge_what_is_owed() -> None:
    """One press of the office; safe to repeat, as the office would when told nothing came."""
    invoice = db.session.scalars(sa.select(Invoice)).one()
    method = db.session.scalars(sa.select(SavedMethod)).one()
    wanted = ChargeWanted(
        invoice.customer_id, method.id, [(invoice.id, invoice.balance)], AttemptPurpose.OFFICE,
        "Olive", email="ada@example.org",
    )  # fmt: skip
    owed = invoice.balance > ZERO
    db.session.rollback()
    if owed:
        charge_method(wanted)


def settings_for(data_dir: str) -> dict[str, str]:
    return {"DATA_DIR": data_dir, "SECRET_KEY": "crash", "BASE_URL": "http://localhost"}


def main(data_dir: str) -> None:
    from wsgi import make_app

    app = make_app(settings=read_settings(settings_for(data_dir)), TESTING=True)
    serve_deaths(app, charge_what_is_owed)


if __name__ == "__main__":
    main(*sys.argv[1:])
