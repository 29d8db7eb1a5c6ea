"""The demo company: told through the services, the same every time, dated relative to today."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import sqlalchemy as sa
from flask import current_app

from portal.access import customer_link, person_of_email, staff_link
from portal.audit import acting_as
from portal.company import today
from portal.db import db, in_transaction
from portal.kernel import clock
from portal.kernel.calendar import add_months
from portal.ledger import close_through
from portal.models import Contact, Customer, User
from portal.risk import score_invoices
from portal.seed.chasing import chase_late_payers
from portal.seed.late_fees import agree_late_fees, look_for_late_invoices
from portal.seed.office import work_in_the_office
from portal.seed.online import pay_online, pay_out_to_the_bank
from portal.seed.plans import agree_plans
from portal.seed.statements import send_statements
from portal.seed.story import Story
from portal.seed.world import make_world
from portal.settings import Settings

MONTHS = 14
MONTHS_OPEN = 4  # the accountant closed what is older
STAFF_EMAIL = "olive@demo.example"
SECOND_EMAIL = "fay@demo.example"  # releases the refunds that olive asks for


def seed_demo(*, say: Callable[[str], None]) -> bool:
    """Fill an empty database; False when there are customers already."""
    if db.session.scalar(sa.select(sa.func.count()).select_from(Customer)):
        db.session.rollback()
        return False
    say("Making the demo company: three trades, 60 customers, 14 months of work …")
    # a made-up company, always the same
    random = Random(20261120)  # nosec B311
    end = today()
    start = end - timedelta(days=MONTHS * 30)
    with acting_as("demo"):
        with clock.frozen(noon(start - timedelta(days=1))):
            world = in_transaction(lambda: make_world(random))
            in_transaction(lambda: agree_late_fees(world))
        story = Story(world, random)
        for day in _days(start, end):
            with clock.frozen(noon(day)):
                in_transaction(lambda day=day: story.live(day, end))  # type: ignore[misc]
                if day.day == 1:
                    pay_out_to_the_bank()
        in_transaction(story.close)
        in_transaction(lambda: close_through(add_months(end, -MONTHS_OPEN)))
        pay_online()
        work_in_the_office()
        agree_plans()
        score_invoices()
        send_statements()
        chase_late_payers(STAFF_EMAIL)
        look_for_late_invoices()
    return True


def demo_sign_ins() -> list[tuple[str, str]]:
    """One-time sign-in links of the demo's people; nothing in a real installation."""
    settings: Settings = current_app.config["SETTINGS"]
    olive = person_of_email(STAFF_EMAIL)
    if olive is None or settings.is_production:
        db.session.rollback()
        return []
    return in_transaction(lambda: _links(settings, olive))


def _links(settings: Settings, olive: User) -> list[tuple[str, str]]:
    ada = db.session.scalar(
        sa.select(Contact.email).where(Contact.email == "ada@customer.example").limit(1)
    )
    links = [_office_link(settings, "Office", olive)]
    if second := person_of_email(SECOND_EMAIL):
        links.append(_office_link(settings, "Second approver", second))
    if ada:
        token = customer_link(ada, lifetime=timedelta(hours=12))
        links.append(("Customer (Ada)", f"{settings.base_url}/my/sign-in/link/{token}"))
    return links


def _office_link(settings: Settings, what: str, person: User) -> tuple[str, str]:
    token = staff_link(person, lifetime=timedelta(hours=12))
    return f"{what} ({person.name})", f"{settings.base_url}/staff/sign-in/link/{token}"


def noon(day: date) -> datetime:
    """An instant that lies on that business day in the company's American zone."""
    return datetime.combine(day, time(18), tzinfo=UTC)


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]
