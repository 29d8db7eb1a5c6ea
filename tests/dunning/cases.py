"""What the tests of collections share: overdue customers, the hour passing, what left the house."""

from dataclasses import replace
from datetime import date, timedelta

import sqlalchemy as sa

from portal.db import db
from portal.dunning import (
    DunningWords,
    change_rules,
    dunning_rules,
    ensure_policy,
    live_case_of,
    run_collections,
)
from portal.kernel import clock
from portal.models import Message
from portal.outbox import deliver, deliver_text
from portal.tasks import run_waiting, sweep
from portal.tasks.queue import look_at

TODAY = date(2026, 3, 2)


def days_ago(days):
    return TODAY - timedelta(days=days)


def set_rules(**words):
    """The house's rules with these changed; reminders are on."""
    ensure_policy()
    wanted = replace(DunningWords(reminders_on=True), **words)
    change_rules(wanted, version=dunning_rules().version)
    db.session.commit()


def overdue(build, days, *prices, customer=None, **words):
    """A customer in Illinois who owes something that was due so many days ago."""
    who = customer or build.customer(region="IL", **words)
    build.posted(*(prices or ("100",)), customer=who, on=days_ago(days), term="Due upon receipt")
    db.session.commit()
    return who


def hour_passes(at=None):
    """The hourly turn, then the worker, as after `at` (an aware instant)."""
    with clock.frozen(at or clock.now()):
        run_collections()
        run_waiting()
        for name, row_id in sweep():
            if name.startswith("dunning"):
                look_at(name, row_id)
        run_waiting()


def later(**words):
    return clock.now() + timedelta(**words)


def case_of(customer):
    db.session.rollback()
    db.session.expire_all()
    return live_case_of(customer.id)


def reminders():
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(
        sa.select(Message).where(Message.kind == "reminder").order_by(Message.id)
    ).all()


__all__ = [
    "TODAY", "case_of", "days_ago", "deliver", "deliver_text", "hour_passes", "later",
    "overdue", "reminders", "set_rules",
]  # fmt: skip
