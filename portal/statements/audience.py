"""Whom a run is about: customers who owe or have credit, narrowed, and what is foreseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from portal.company import company, today
from portal.db import NO_MONEY, Page, PageRequest, as_money, db, holds, total_of
from portal.kernel.money import ZERO, Money
from portal.models import (
    BillingAccess,
    CollectionStanding,
    Contact,
    Customer,
    Delivery,
    Statement,
    StatementWay,
)
from portal.receivables import AgingView, groups_of
from portal.statements.protecting import IS_PROTECTED

NO_MAIL, NO_PAPER, INACTIVE, TOO_SOON, CREDIT = "no mail", "no paper", "inactive", "soon", "credit"
PROTECTED = "protected"


@dataclass(frozen=True)
class Audience:
    """The filter of a run, as it stands in the address. `late` is at least so many days."""

    q: str = ""
    customer_type_id: int | None = None
    delivery: Delivery | None = None
    least: int | None = None  # whole currency units, net of credit
    late: int | None = None


@dataclass(frozen=True)
class Candidate:
    """One customer a run would be about, and why it would be left out, if so."""

    customer_id: int
    name: str
    delivery: Delivery
    open: Money
    credit: Money
    why_not: str

    @property
    def due(self) -> Money:
        return self.open - self.credit


@dataclass(frozen=True)
class Outlook:
    """What a run would do, counted before anybody presses."""

    total: int
    due: Money
    by_mail: int
    on_paper: int
    left_out: dict[str, int]


@dataclass(frozen=True)
class Rules:
    """What decides, beside the filter, whether a customer is left out."""

    way: StatementWay = StatementWay.AS_PREFERRED
    credit_only: bool = False
    weeks_between: int = 0


def audience_ids(wanted: Audience, *, on: date) -> list[int]:
    """Everybody the filter lets through, also those who will be left out: each gets a reason."""
    found = _candidates(wanted, Rules(), on).subquery()
    return list(db.session.scalars(sa.select(found.c.id).order_by(found.c.id)))


def outlook(wanted: Audience, rules: Rules, *, on: date) -> Outlook:
    """Counted in one statement, by the columns of the customers alone: mail that came back, and
    what changes meanwhile, is found when the run comes to them."""
    found = _candidates(wanted, rules, on).subquery()
    going = found.c.why_not == ""
    asked: Any = sa.select(
        sa.func.count(),
        total_of(sa.case((going, found.c.due), else_=NO_MONEY)),
        sa.func.sum(sa.case((sa.and_(going, found.c.mails), 1), else_=0)),
        sa.func.sum(sa.case((sa.and_(going, found.c.prints), 1), else_=0)),
    )
    total, due, mails, prints = db.session.execute(asked).one()
    why = sa.select(found.c.why_not, sa.func.count()).where(~going).group_by(found.c.why_not)
    left_out: dict[str, int] = dict(db.session.execute(why).all())
    return Outlook(total, due or ZERO, int(mails or 0), int(prints or 0), left_out)


def find_candidates(
    wanted: Audience, rules: Rules, page: PageRequest, *, on: date
) -> Page[Candidate]:
    """One page of them, the largest debt first."""
    found = _candidates(wanted, rules, on).subquery()
    total = db.session.scalar(sa.select(sa.func.count()).select_from(found)) or 0
    number = min(max(page.number, 1), max((total + page.size - 1) // page.size, 1))
    columns = [found.c[name] for name in ("id", "name", "delivery", "open", "credit", "why_not")]
    query = sa.select(*columns).order_by(found.c.due.desc(), found.c.id)
    rows = db.session.execute(query.limit(page.size).offset((number - 1) * page.size))
    return Page([Candidate(*row) for row in rows], total, number, page.size)


def _candidates(wanted: Audience, rules: Rules, on: date) -> sa.Select[*tuple[Any, ...]]:
    view = AgingView(net=True, customer_type_id=wanted.customer_type_id)
    owing = groups_of(view, on)
    due = as_money(owing.c.total - owing.c.credit)
    mails, prints = _ways(rules.way)
    query = sa.select(
        Customer.id, Customer.name, Customer.delivery, owing.c.total.label("open"),
        owing.c.credit, due.label("due"), mails.label("mails"), prints.label("prints"),
        _why_not(rules, due, mails, prints).label("why_not"),
    ).join(owing, owing.c.key == Customer.id)  # fmt: skip
    return query.where(*_narrowed(wanted, owing, due))


def _narrowed(wanted: Audience, owing: sa.CTE, due: Any) -> Sequence[sa.ColumnElement[bool]]:
    wheres: list[sa.ColumnElement[bool]] = []
    if wanted.q.strip():
        wheres.append(holds(Customer.name, wanted.q))
    if wanted.delivery is not None:
        wheres.append(Customer.delivery == wanted.delivery)
    if wanted.least is not None:
        wheres.append(due >= Money.of(wanted.least))
    if wanted.late is not None:
        late: Any = owing.c.days_over_90
        for name, days in (("days_61_90", 61), ("days_31_60", 31), ("days_1_30", 1)):
            if wanted.late <= days:
                late = as_money(late + owing.c[name])
        wheres.append(late > ZERO)
    return wheres


def _ways(way: StatementWay) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Whether a customer's statement would go by mail, and on paper (as `way_for` decides)."""
    has_contact = sa.exists().where(
        Contact.customer_id == Customer.id,
        Contact.active,
        Contact.email != "",
        Contact.billing_access != BillingAccess.NONE,
    )
    can_mail = sa.or_(Customer.email != "", has_contact)
    can_print = sa.and_(Customer.street != "", Customer.city != "")
    by_mail = {
        StatementWay.AS_PREFERRED: Customer.delivery != Delivery.MAIL,
        StatementWay.PRINT: sa.false(),
    }.get(way, sa.true())
    on_paper = {
        StatementWay.AS_PREFERRED: Customer.delivery.in_([Delivery.MAIL, Delivery.BOTH]),
        StatementWay.EMAIL: sa.false(),
    }.get(way, sa.true())
    return sa.and_(by_mail, can_mail), sa.and_(on_paper, can_print)


def _why_not(rules: Rules, due: Any, mails: Any, prints: Any) -> sa.Case[str]:
    """The first reason, as a word; empty when it would go."""
    owes_less = sa.and_(due < ZERO, sa.literal(not rules.credit_only))
    guarded = sa.exists().where(CollectionStanding.customer_id == Customer.id, IS_PROTECTED)
    cases = [(~Customer.active, INACTIVE), (guarded, PROTECTED), (owes_less, CREDIT)]
    if rules.weeks_between:
        first = today() - timedelta(weeks=rules.weeks_between) + timedelta(days=1)
        since = datetime.combine(first, time(0), ZoneInfo(company().zone))
        recent = sa.exists().where(
            Statement.customer_id == Customer.id, Statement.created_at >= since
        )
        cases.append((recent, TOO_SOON))
    paper = sa.and_(~sa.or_(mails, prints), sa.literal(rules.way is StatementWay.PRINT))
    cases += [(paper, NO_PAPER), (~sa.or_(mails, prints), NO_MAIL)]
    return sa.case(*cases, else_="")
