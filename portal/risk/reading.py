"""The scores of open invoices and what the newest night learned, for screens and rankings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.company import today
from portal.db import NO_MONEY, Page, PageRequest, db, holds, paginate
from portal.kernel.money import Money
from portal.kernel.numbers import Rate
from portal.models import (
    HAS_BALANCE,
    OFF_THE_BOOKS,
    Customer,
    Invoice,
    RiskMethod,
    RiskModel,
    RiskScore,
)
from portal.risk.reasons import Reason, reasons_from
from portal.risk.rule import as_rate, rule_by_week, rule_chance

CHUNK = 1_000  # ids per statement


@dataclass(frozen=True)
class Risk:
    """The chance that an invoice is still unpaid four weeks on, with its reasons.

    `by_rule`: the plain rule was asked, because nothing could be learned yet or the invoice is
    newer than the last night.
    """

    chance: Rate
    unpaid_by_week: tuple[float, ...]
    reasons: tuple[Reason, ...]
    scored_on: date
    by_rule: bool

    def at_risk(self, open_amount: Money) -> Money:
        """Chance × amount: what a list of calls is ranked by."""
        return open_amount.times(self.chance.value)


def risks_of(invoices: Sequence[Invoice]) -> dict[int, Risk]:
    """By invoice id; the rule answers for what the last night did not see."""
    found, on = scored([one.id for one in invoices]), today()
    return {one.id: found.get(one.id) or risk_by_rule(one, on=on) for one in invoices}


def scored(invoice_ids: Collection[int]) -> dict[int, Risk]:
    """What the last night said of those of these invoices it saw; a statement per thousand."""
    wanted = sorted(set(invoice_ids))
    found: dict[int, Risk] = {}
    for start in range(0, len(wanted), CHUNK):
        query = (
            sa.select(RiskScore)
            .where(RiskScore.invoice_id.in_(wanted[start : start + CHUNK]))
            .options(joinedload(RiskScore.model).load_only(RiskModel.method))
        )
        found |= {score.invoice_id: _risk(score) for score in db.session.scalars(query)}
    return found


def risk_by_rule(invoice: Invoice, *, on: date) -> Risk:
    """What the plain rule says of an invoice that day."""
    due = invoice.due_date or invoice.invoice_date or on
    late = (on - due).days
    return Risk(
        Rate.of(as_rate(rule_chance(late))), tuple(rule_by_week(late)),
        (Reason("age", late > 0, (late,)),), on, by_rule=True,
    )  # fmt: skip


def newest_model() -> RiskModel | None:
    """What the last night learned; None before the first."""
    return db.session.scalars(sa.select(RiskModel).order_by(RiskModel.id.desc()).limit(1)).first()


def find_scores(q: str, page: PageRequest) -> Page[RiskScore]:
    """Scored invoices that are still open, the largest chance × amount first."""
    query = (
        sa.select(RiskScore)
        .join(Invoice, Invoice.id == RiskScore.invoice_id)
        .where(HAS_BALANCE, Invoice.balance > NO_MONEY, Invoice.state.not_in(OFF_THE_BOOKS))
        .options(joinedload(RiskScore.invoice).joinedload(Invoice.customer))
    )
    if q.strip():
        query = query.join(Customer, Customer.id == Invoice.customer_id)
        query = query.where(holds(Customer.name, q))
    sorts = {"risk": RiskScore.at_risk, "chance": RiskScore.chance, "open": Invoice.balance}
    return paginate(query, page, sorts=sorts, default="-risk")


@dataclass(frozen=True)
class WeekOfCash:
    """What one coming week should bring, and what should be left open at its end."""

    begins_on: date
    expected: Money
    left: Money


def cash_forecast(model: RiskModel) -> list[WeekOfCash]:
    """By week from the night the model is of: Σ open × (chance before − chance after).

    The invoices open that night only: what is invoiced later comes on top.
    """
    left = [Money(cents) for cents in model.left_by_week]
    return [
        WeekOfCash(model.trained_on + timedelta(days=7 * week), before - after, after)
        for week, (before, after) in enumerate(pairwise(left))
    ]


def _risk(score: RiskScore) -> Risk:
    return Risk(
        score.chance, tuple(score.unpaid_by_week), tuple(reasons_from(score.reasons)),
        score.scored_on, by_rule=score.model.method is RiskMethod.RULE,
    )  # fmt: skip
