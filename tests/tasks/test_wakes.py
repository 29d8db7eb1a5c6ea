"""A row that waits is woken when its transaction commits, whatever a savepoint did."""

from portal.db import db, insert_once
from portal.models import NumberSeries
from portal.tasks import wake


def test_a_refused_savepoint_forgets_no_wake_up(app):
    db.session.add(NumberSeries(series="T", fiscal_year=2020, last_number=0))
    wake("message", 7)
    assert not insert_once(NumberSeries(series="T", fiscal_year=2020, last_number=0))
    db.session.commit()

    assert ("message", 7) in app.extensions["wakes"]


def test_a_transaction_that_was_rolled_back_wakes_nobody(app):
    db.session.add(NumberSeries(series="T", fiscal_year=2020, last_number=0))
    db.session.flush()
    wake("message", 7)
    db.session.rollback()
    db.session.commit()

    assert app.extensions["wakes"] == []
