"""What waits today, and how money came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import sqlalchemy as sa

from portal.db import NO_MONEY, db, total_of
from portal.kernel import calendar
from portal.kernel.money import ZERO, Money
from portal.models import (
    HAS_BALANCE,
    IS_PENDING,
    OFF_THE_BOOKS,
    Batch,
    BatchState,
    Invoice,
    Job,
    JobState,
    Message,
    MessageState,
    Payment,
    PaymentOrigin,
    PaymentPlan,
    PlanState,
    ReviewState,
)
from portal.payment_collection import charges_needing_somebody, money_back_waiting, waiting_online


@dataclass(frozen=True)
class HomeFigures:
    """Counts and sums of the staff's first page."""

    to_review: int
    to_post: int
    to_post_total: Money
    overdue: int
    overdue_total: Money
    paid_today: int
    paid_today_total: Money
    jobs_open: int


def home_figures(*, on: date) -> HomeFigures:
    """Everything in four small queries; money that came back since counts for nothing."""
    dated = Invoice.invoice_date.is_not(None)
    review, post, post_total = db.session.execute(
        sa.select(
            _count(sa.and_(dated, Invoice.review_state == ReviewState.NEEDS_REVIEW)),
            _count(sa.and_(dated, Invoice.review_state == ReviewState.REVIEWED)),
            sa.func.coalesce(
                sa.func.sum(
                    sa.case(
                        (
                            sa.and_(dated, Invoice.review_state == ReviewState.REVIEWED),
                            Invoice.total,
                        ),
                        else_=NO_MONEY,
                    )
                ),
                NO_MONEY,
            ),
        ).where(IS_PENDING)
    ).one()
    late, late_total = db.session.execute(
        sa.select(sa.func.count(), total_of(Invoice.balance)).where(
            HAS_BALANCE,
            Invoice.balance > NO_MONEY,
            Invoice.due_date < on,
            Invoice.state.not_in(OFF_THE_BOOKS),
        )
    ).one()
    paid, paid_total = db.session.execute(
        sa.select(sa.func.count(), total_of(Payment.amount)).where(
            Payment.received_on == on,
            Payment.origin == PaymentOrigin.MONEY,
            Payment.amount > NO_MONEY,
            Payment.returned_on.is_(None),
        )
    ).one()
    jobs = db.session.scalar(
        sa.select(sa.func.count()).where(Job.state.in_([JobState.BOOKED, JobState.IN_PROGRESS]))
    )
    return HomeFigures(
        review or 0, post or 0, post_total, late, late_total, paid, paid_total, jobs or 0
    )


def cash_by_month(*, on: date, months: int = 12) -> list[tuple[date, Money]]:
    """Money received less money given back or returned, per month, oldest first.

    The credit of documents is no money. Empty months are listed too.
    """
    start = calendar.add_months(calendar.month_start(on), 1 - months)
    sums = {calendar.add_months(start, i): ZERO for i in range(months)}
    for sign, day in ((1, Payment.received_on), (-1, Payment.returned_on)):
        per_day = db.session.execute(
            sa.select(day, sa.func.sum(Payment.amount))
            .where(day >= start, day <= on, Payment.origin == PaymentOrigin.MONEY)
            .group_by(day)
        )
        for moved_on, amount in per_day:
            assert moved_on is not None  # it lies between two days
            sums[calendar.month_start(moved_on)] += amount if sign > 0 else -amount
    return list(sums.items())


def waiting_counts() -> dict[str, int]:
    """What waits behind which screen, for the navigation."""
    review, failed, batches, wishes = db.session.execute(_waiting()).one()
    money_back = money_back_waiting()
    return {
        "staff.refund_requests.index": money_back.requests + money_back.failed,
        "staff.disputes.index": money_back.disputes,
        "staff.planned_charges.index": charges_needing_somebody(),
        "staff.review.index": review,
        "staff.batches.index": batches,
        "staff.outbox.index": failed,
        "staff.attempts.index": waiting_online().total,
        "staff.payment_plans.index": wishes,
    }


@cache
def _waiting() -> sa.Select[int, int, int, int]:
    """The same words on every page of the office: put together once."""
    to_review = sa.and_(
        IS_PENDING,
        Invoice.review_state == ReviewState.NEEDS_REVIEW,
        Invoice.invoice_date.is_not(None),
    )
    return sa.select(
        *(
            sa.select(sa.func.count()).where(waits).scalar_subquery()
            for waits in (
                to_review,
                Message.state == MessageState.FAILED,
                Batch.state == BatchState.PENDING,
                PaymentPlan.state == PlanState.ASKED,
            )
        )
    )


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)
