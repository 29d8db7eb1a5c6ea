"""Looking at bulk charges: how far they are, what became of each, and the same as a workbook."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import IO, Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.db import Page, PageRequest, as_money, db, paginate
from portal.documents import Sheet, write_workbook
from portal.kernel.errors import NotFound
from portal.kernel.money import ZERO, Money
from portal.models import ChargeRun, ChargeState, Customer, PaymentAttempt, PlannedCharge


@dataclass(frozen=True)
class RunFigures:
    """How far a bulk charge is; amounts are what was really charged or is on its way."""

    waiting: int
    on_its_way: int
    succeeded: int
    failed: int
    cancelled: int
    charged: Money

    @property
    def done(self) -> int:
        return self.on_its_way + self.succeeded + self.failed + self.cancelled


def get_charge_run(run_id: int) -> ChargeRun:
    """One bulk charge; NotFound otherwise."""
    run = db.session.get(ChargeRun, run_id)
    if run is None:
        raise NotFound("No such bulk charge.")
    return run


def find_charge_runs(page: PageRequest) -> Page[ChargeRun]:
    query = sa.select(ChargeRun).options(joinedload(ChargeRun.started_by))
    return paginate(query, page, sorts={"newest": ChargeRun.id}, default="-newest")


def find_run_charges(
    run: ChargeRun, page: PageRequest, *, state: ChargeState | None = None
) -> Page[PlannedCharge]:
    query = (
        sa.select(PlannedCharge)
        .where(PlannedCharge.run_id == run.id)
        .options(joinedload(PlannedCharge.customer), joinedload(PlannedCharge.attempt))
    )
    if state is not None:
        query = query.where(PlannedCharge.state == state)
    return paginate(query, page, sorts={"row": PlannedCharge.id}, default="row")


def figures_of_charge_runs(runs: Collection[ChargeRun]) -> dict[int, RunFigures]:
    """The figures of each run by its id, in one statement: true after a restart too."""
    amount = as_money(sa.func.coalesce(sa.func.sum(PaymentAttempt.amount), 0))
    query = (
        sa.select(PlannedCharge.run_id, PlannedCharge.state, sa.func.count(), amount)
        .outerjoin(PaymentAttempt, PaymentAttempt.id == PlannedCharge.attempt_id)
        .where(PlannedCharge.run_id.in_([one.id for one in runs]))
        .group_by(PlannedCharge.run_id, PlannedCharge.state)
    )
    found: dict[int, dict[ChargeState, tuple[int, Money]]] = {one.id: {} for one in runs}
    for run_id, state, number, charged in db.session.execute(query):
        assert run_id is not None  # it was asked for
        found[run_id][state] = (number, charged)
    return {run_id: _figures(states) for run_id, states in found.items()}


def outcomes_workbook(run: ChargeRun) -> IO[bytes]:
    """Every row with what became of it, and who was left out, as XLSX."""
    return write_workbook(
        [
            Sheet(
                _("Charges"),
                [_("Customer"), _("To be charged"), _("Charged"), _("State"), _("Outcome"),
                 _("Payment")],
                _outcomes(run),
            ),
            Sheet(_("Left out"), [_("Customer"), _("Reason")], run.left_out),
        ]
    )  # fmt: skip


def _figures(states: dict[ChargeState, tuple[int, Money]]) -> RunFigures:
    def number(*wanted: ChargeState) -> int:
        return sum(states.get(one, (0, ZERO))[0] for one in wanted)

    return RunFigures(
        waiting=number(ChargeState.WAITING),
        on_its_way=number(ChargeState.CHARGING),
        succeeded=number(ChargeState.SUCCEEDED),
        failed=number(ChargeState.FAILED, ChargeState.GIVEN_UP),
        cancelled=number(ChargeState.CANCELLED),
        charged=states.get(ChargeState.SUCCEEDED, (0, ZERO))[1],
    )


def _outcomes(run: ChargeRun) -> Iterator[list[Any]]:
    query = (
        sa.select(
            Customer.name, PlannedCharge.amount, PaymentAttempt.amount, PlannedCharge.state,
            PlannedCharge.outcome, PaymentAttempt.payment_id,
        )
        .join(Customer, Customer.id == PlannedCharge.customer_id)
        .outerjoin(PaymentAttempt, PaymentAttempt.id == PlannedCharge.attempt_id)
        .where(PlannedCharge.run_id == run.id)
        .order_by(PlannedCharge.id)
    )  # fmt: skip
    for name, wanted, asked, state, outcome, payment_id in db.session.execute(query):
        charged = asked if state is ChargeState.SUCCEEDED else ZERO
        yield [name, wanted, charged, state.value.replace("_", " "), outcome, payment_id]
