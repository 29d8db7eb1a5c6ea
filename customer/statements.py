"""My statements: any day, any range, on screen and as PDF, and those that were sent to me."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, Response

from customer.mine import me
from portal.company import today
from portal.kernel.calendar import month_start
from portal.kernel.errors import DomainError, NotFound
from portal.models import Customer, StatementKind
from portal.statements import (
    Account,
    StatementWanted,
    account_of,
    get_statement,
    statement_bytes,
    statement_name,
    statement_paper,
    statement_pdf,
    statements_of,
)
from portal.web import asked_for, filters, payers_only, pdf_response, render_page

bp = Blueprint("statements", __name__, url_prefix="/statements")


@dataclass(frozen=True)
class Asked:
    """Which statement, as it stands in the address."""

    customer_id: int | None = None
    kind: StatementKind = StatementKind.OPEN_ITEM
    starts_on: date | None = None
    ends_on: date | None = None


@bp.get("")
@payers_only
def index() -> Response:
    customer, wanted, problem, account = _customer(), _wanted(), "", None
    try:
        account = account_of(customer, wanted)
    except DomainError as error:
        problem = str(error)
    return render_page(
        "customer/statements/index.html", status=422 if problem else 200, customer=customer,
        customers=[one.customer for one in me().contacts], wanted=wanted, problem=problem,
        paper=statement_paper(account) if account else None, asked=asked_for(),
        sent=statements_of(me().customer_ids, limit=24),
    )  # fmt: skip


@bp.get("/statement.pdf")
@payers_only
def pdf() -> Response:
    account: Account = account_of(_customer(), _wanted())
    return pdf_response(statement_pdf(account), statement_name(account))


@bp.get("/<int:statement_id>.pdf")
@payers_only
def sent(statement_id: int) -> Response:
    """One that was sent to me, as it was sent."""
    statement = get_statement(statement_id)
    if statement.customer_id not in me().customer_ids:
        raise NotFound("There is nothing here, or it is not yours to see.")
    return pdf_response(statement_bytes(statement.id), f"statement-{statement.ends_on}.pdf")


def _customer() -> Customer:
    """The one asked for among mine, else the first; NotFound for anybody else's."""
    wanted = filters(Asked).customer_id
    mine = [one.customer for one in me().contacts]
    found = [one for one in mine if wanted is None or one.id == wanted]
    if not found:
        raise NotFound("There is nothing here, or it is not yours to see.")
    return found[0]


def _wanted() -> StatementWanted:
    """A range without its days is this month so far and the one before."""
    asked = filters(Asked)
    ends_on = min(asked.ends_on or today(), today())
    starts_on = asked.starts_on or month_start(month_start(ends_on) - timedelta(days=1))
    forward = asked.kind is StatementKind.BALANCE_FORWARD
    return StatementWanted(asked.kind, ends_on, starts_on if forward else None)
