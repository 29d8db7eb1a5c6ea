"""What the tests of plans begin with: an offer, an accepted plan, days that pass."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from portal.company import today
from portal.db import db
from portal.kernel import clock
from portal.kernel.money import Money
from portal.models import Message, PlanRhythm
from portal.payment_collection import seal_of
from portal.payment_plans import (
    Agreed,
    PlanTerms,
    accept_plan,
    look_after_plans,
    offer_plan,
    terms_text,
)

TODAY = date(2026, 3, 2)


def offered(invoice, *more, payments=4, rhythm=PlanRhythm.MONTHLY, first_on=TODAY, **words):
    kept = {key: words.pop(key) for key in ("plan", "replaces") if key in words}
    if "replaces" in kept:
        words.setdefault("note", "Lost the job")
    terms = PlanTerms([invoice, *more], payments, rhythm, first_on, **words)
    return offer_plan(invoice.customer, terms, by="Olive Office", **kept)


def agreed(plan, **words):
    said = {"given_by": "ada@example.org", "seen": seal_of(terms_text(plan, "en")), **words}
    return Agreed(**said)


def accepted(invoice, *more, method=None, **words):
    plan = offered(invoice, *more, **words)
    accept_plan(plan, agreed(plan, method_id=method.id if method else None))
    return plan


def on_day(day):
    """Noon of that day at the company's place."""
    return clock.frozen(datetime(day.year, day.month, day.day, 18, tzinfo=ZoneInfo("UTC")))


def look_on(day):
    """The hourly turn on that day."""
    db.session.commit()
    with on_day(day):
        assert today() == day
        look_after_plans()
    db.session.expire_all()


def pay(build, invoice, amount, *, on=TODAY):
    return build.payment(invoice.customer, amount, invoice, on=on)


def bob(build, *, reachable):
    """A customer whom mail reaches, or nobody's address is known of."""
    customer = build.customer("Bob", email="bob@example.org")
    if not reachable:
        customer.email = ""
        for contact in customer.contacts:
            contact.email = ""
        db.session.flush()
    return customer


def amounts(plan, on=TODAY):
    return [(str(one.paid), str(one.open), str(one.state)) for one in plan.progress(on)]


def in_days(days):
    return TODAY + timedelta(days=days)


def dollars(text):
    return Money.of(text)


def told(kind):
    return db.session.scalar(
        sa.select(sa.func.count()).select_from(Message).where(Message.kind == kind)
    )


def weekly(build, amount="100", **words):
    return accepted(build.posted(amount), rhythm=PlanRhythm.WEEKLY, **words)
