"""What happens by the clock, each turn once however many workers there are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from portal.access import forget_old_tries
from portal.batches import batch_by_rules
from portal.company import company
from portal.db import db, in_transaction, insert_once
from portal.dunning import run_collections
from portal.kernel import clock
from portal.models import ScheduledTurn
from portal.payment_collection import (
    compare_with_gateway,
    find_payouts,
    pay_out_daily,
    plan_autopay,
    recheck_disputes,
    tell_of_expiring,
)
from portal.payment_plans import look_after_plans
from portal.risk import score_invoices
from portal.web import forget_old_submissions

log = logging.getLogger("fieldledger.schedule")


@dataclass(frozen=True)
class Scheduled:
    """`slot(now)` names the turn that is due now: one row per name and slot."""

    name: str
    slot: Callable[[datetime], str]
    act: Callable[[], object]


def hourly(now: datetime) -> str:
    return now.strftime("%Y-%m-%d %H")


def daily(now: datetime) -> str:
    return now.strftime("%Y-%m-%d")


def forget_old_turns() -> None:
    """Turns of last year tell nobody anything."""
    limit = clock.now() - timedelta(days=365)
    in_transaction(
        lambda: db.session.execute(sa.delete(ScheduledTurn).where(ScheduledTurn.created_at < limit))
    )


def refresh_statistics() -> None:
    """SQLite's planner needs to know how many rows share a value; PostgreSQL sees to it itself."""
    if db.engine.dialect.name == "sqlite":
        in_transaction(lambda: db.session.execute(sa.text("ANALYZE")))


SCHEDULE = [
    Scheduled("batch by rules", hourly, batch_by_rules),
    Scheduled("look after payment plans", hourly, look_after_plans),
    Scheduled("plan autopay", hourly, plan_autopay),
    Scheduled("collections", hourly, run_collections),
    Scheduled("refresh statistics", hourly, refresh_statistics),
    Scheduled("look at disputes", daily, recheck_disputes),
    Scheduled("pay out at the test gateway", daily, pay_out_daily),
    Scheduled("look for payouts", daily, find_payouts),
    Scheduled("tell of expiring cards", daily, tell_of_expiring),
    Scheduled("compare with the gateway", daily, compare_with_gateway),
    Scheduled("score open invoices", daily, score_invoices),
    Scheduled("forget old tries", daily, forget_old_tries),
    Scheduled("forget old turns", daily, forget_old_turns),
    Scheduled("forget old submissions", daily, forget_old_submissions),
]


def run_due() -> None:
    """Take every turn that is due and not taken; a turn missed in a pause is made up once."""
    now = clock.now().astimezone(ZoneInfo(company().zone))
    db.session.rollback()
    for scheduled in SCHEDULE:
        name, slot = scheduled.name, scheduled.slot(now)
        taken = in_transaction(lambda: insert_once(ScheduledTurn(name=name, slot=slot)))  # noqa: B023
        if taken:
            _act(scheduled, slot)


def _act(scheduled: Scheduled, slot: str) -> None:
    try:
        scheduled.act()
        outcome = "done"
    except Exception:
        log.exception("%s failed", scheduled.name)
        db.session.rollback()
        outcome = "failed"
    in_transaction(
        lambda: db.session.execute(
            sa.update(ScheduledTurn)
            .where(ScheduledTurn.name == scheduled.name, ScheduledTurn.slot == slot)
            .values(finished_at=clock.now(), outcome=outcome)
        )
    )
