"""The collector's day: cases ranked by expected loss, and who may see which."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.access import Ability
from portal.db import NO_MONEY, Page, PageRequest, db, holds, paginate, total_of
from portal.dunning.rules import dunning_rules
from portal.kernel.errors import NotFound
from portal.kernel.money import ZERO, Money
from portal.models import CaseState, Customer, DunningCase, DunningStep, User


class CaseSort(StrEnum):
    """Which part of the cases is shown; without one what is to be done."""

    TO_DO = "to_do"
    WAITING = "waiting"
    MANAGER = "manager"
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True)
class WorklistFilter:
    """What the list is narrowed to; `collector_id` 0 asks for accounts nobody has."""

    q: str = ""
    what: CaseSort = CaseSort.TO_DO
    collector_id: int | None = None
    policy_id: int | None = None


@dataclass(frozen=True)
class Sight:
    """Whose accounts somebody sees: all, or their own and those handed to them."""

    user_id: int
    everybody: bool


def sight_of(user: User) -> Sight:
    """Who manages collections sees everybody; the others as the rules say."""
    manages = Ability.MANAGE_COLLECTIONS in user.role.abilities
    return Sight(user.id, manages or not dunning_rules().sees_assigned_only)


def get_case(case_id: int, sight: Sight) -> DunningCase:
    """One case; NotFound for one that is not there and for one that is not theirs to see."""
    query = _seen(sa.select(DunningCase).where(DunningCase.id == case_id), sight).options(
        joinedload(DunningCase.customer),
        joinedload(DunningCase.policy),
        selectinload(DunningCase.steps).joinedload(DunningStep.stage),
    )
    case = db.session.scalars(query).unique().one_or_none()
    if case is None:
        raise NotFound("No such case.")
    return case


def find_cases(wanted: WorklistFilter, page: PageRequest, sight: Sight) -> Page[DunningCase]:
    """One page of cases, those with the largest expected loss first."""
    query = _narrowed(wanted, sight, by_name=page.sort.removeprefix("-") == "name")
    rows = query.options(
        joinedload(DunningCase.customer).joinedload(Customer.collector),
        selectinload(DunningCase.steps).joinedload(DunningStep.stage),
    )
    sorts = {
        "expected": DunningCase.expected,
        "owed": DunningCase.owed,
        "chance": DunningCase.chance,
        "oldest": DunningCase.oldest_due_on,
        "name": Customer.name,
    }
    return paginate(query, page, sorts=sorts, default="-expected", rows=rows)


def sum_of_cases(wanted: WorklistFilter, sight: Sight) -> tuple[int, Money, Money]:
    """How many, what is owed on them, what is expected to be lost."""
    columns = (sa.func.count(), total_of(DunningCase.owed), total_of(DunningCase.expected))
    count, owed, expected = db.session.execute(
        _narrowed(wanted, sight).with_only_columns(*columns)
    ).one()
    return count, owed or ZERO, expected or ZERO


def next_case(case: DunningCase, sight: Sight) -> DunningCase | None:
    """The case after this one in the list of what is to be done."""
    query = _narrowed(WorklistFilter(), sight).where(
        sa.or_(
            DunningCase.expected < case.expected,
            sa.and_(DunningCase.expected == case.expected, DunningCase.id < case.id),
        )
    )
    order = (DunningCase.expected.desc(), DunningCase.id.desc())
    return db.session.scalars(query.order_by(*order).limit(1)).first()


def cases_of(customer_id: int) -> list[DunningCase]:
    """Every case of a customer, newest first."""
    query = sa.select(DunningCase).where(DunningCase.customer_id == customer_id)
    return list(db.session.scalars(query.order_by(DunningCase.id.desc())))


def _narrowed(
    wanted: WorklistFilter, sight: Sight, *, by_name: bool = False
) -> sa.Select[DunningCase]:
    """The customers are joined only where they are asked for: counting stays in the index."""
    query = _seen(sa.select(DunningCase), sight).where(*_sort_of(wanted.what))
    if by_name or wanted.q.strip() or wanted.collector_id is not None:
        query = query.join(Customer, Customer.id == DunningCase.customer_id)
    if wanted.q.strip():
        query = query.where(holds(Customer.name, wanted.q))
    if wanted.collector_id is not None:
        whose = wanted.collector_id or None
        query = query.where(Customer.collector_id.is_not_distinct_from(whose))
    if wanted.policy_id is not None:
        query = query.where(DunningCase.policy_id == wanted.policy_id)
    return query


def _sort_of(what: CaseSort) -> list[Any]:
    live = sa.text("dunning_cases.state <> 'closed'")
    match what:
        case CaseSort.TO_DO:
            free = (DunningCase.waits_because == "", DunningCase.owed > NO_MONEY)
            return [live, DunningCase.state == CaseState.OPEN, *free]
        case CaseSort.WAITING:
            nothing_to_do = sa.or_(DunningCase.waits_because != "", DunningCase.owed == NO_MONEY)
            return [live, DunningCase.state == CaseState.OPEN, nothing_to_do]
        case CaseSort.MANAGER:
            return [live, DunningCase.state == CaseState.WITH_MANAGER]
        case CaseSort.CLOSED:
            return [DunningCase.state == CaseState.CLOSED]
        case CaseSort.ALL:
            return []


def _seen(query: sa.Select[DunningCase], sight: Sight) -> sa.Select[DunningCase]:
    if sight.everybody:
        return query
    mine = sa.select(Customer.id).where(Customer.collector_id == sight.user_id)
    return query.where(
        sa.or_(DunningCase.customer_id.in_(mine), DunningCase.handed_to_id == sight.user_id)
    )
