"""Statements of the demo company: one run last week, kept as sent, and the monthly settings."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from portal.audit import acting_as
from portal.company import today
from portal.db import db, in_transaction
from portal.kernel import clock
from portal.kernel.money import Money
from portal.models import StatementKind
from portal.statements import (
    Audience,
    MonthlyWords,
    RunOrder,
    StatementWanted,
    audience_ids,
    change_settings,
    look_at_share,
    start_run,
    waiting_shares,
)

DAYS_AGO = 9
FEWEST = 500  # dollars: enough for some statements, and the demo is ready soon


def send_statements() -> None:
    """As the monthly run did it some days ago: open items of whoever owed much then."""
    on = today() - timedelta(days=DAYS_AGO)
    with clock.frozen(datetime.combine(on, time(18), tzinfo=UTC)), acting_as("system"):
        in_transaction(_begin)
        for share in list(waiting_shares()):
            db.session.rollback()
            look_at_share(share)


def _begin() -> None:
    words = MonthlyWords(
        monthly=True, day_of_month=today().day, weeks_between=2, least=Money.of(FEWEST)
    )
    change_settings(words, version=0)
    wanted = StatementWanted(StatementKind.OPEN_ITEM, today())
    order = RunOrder(
        wanted,
        weeks_between=2,
        narrowed_to=f"at least {FEWEST} due",
        slot=today().strftime("%Y-%m"),
    )
    start_run(audience_ids(Audience(least=FEWEST), on=today()), order, today=today())
