"""A statement's guest link: see that statement, pay what is open on it, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, redirect, request, url_for
from flask_babel import gettext as _

from customer.documents import document_of
from customer.paying import outcome_page
from portal.company import today
from portal.invoices import is_visible_to_customer
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.kernel.money import Money
from portal.models import Invoice, Statement
from portal.payment_collection import (
    CheckoutWanted,
    attempt_by_public_id,
    has_gateway,
    on_its_way,
    start_checkout,
)
from portal.statements import (
    note_opened,
    payable_of,
    statement_bytes,
    statement_of_token,
)
from portal.web import is_the_office, open_to_all, pdf_response, read_money, render_page

MOST = 100  # invoices one payment covers here; the oldest come first

bp = Blueprint("statement_guest", __name__, url_prefix="/pay/statement")


@bp.get("/<token>")
@open_to_all
def show(token: str) -> Response:
    statement = _statement(token)
    if not is_the_office():  # a clerk who tries the link is not the customer
        note_opened(statement)
    return _page(statement, token)


@bp.get("/<token>/statement.pdf")
@open_to_all
def pdf(token: str) -> Response:
    statement = _statement(token)
    return pdf_response(statement_bytes(statement.id), f"statement-{statement.ends_on}.pdf")


@bp.get("/<token>/invoices/<int:invoice_id>.pdf")
@open_to_all
def invoice_pdf(token: str, invoice_id: int) -> Response:
    """An invoice of this statement; any other does not exist."""
    statement = _statement(token)
    mine = {one.invoice_id: one.invoice for one in statement.invoices}
    found = mine.get(invoice_id)
    theirs = found is not None and found.customer_id == statement.customer_id
    if found is None or not theirs or not is_visible_to_customer(found):
        raise NotFound(_("There is nothing here, or it is not yours to see."))
    return document_of(found, link=False)


@bp.post("/<token>")
@open_to_all
def pay(token: str) -> Response:
    """What is typed beside each invoice, in one payment; other ids are not looked at."""
    statement = _statement(token)
    invoices = payable_of(statement)[:MOST]
    typed = {
        one.id: request.form.get(f"amount-{one.id}", "") for one in invoices
    }  # an amount left empty leaves its invoice out
    try:
        wanted = CheckoutWanted(
            shares=_shares(invoices, typed),
            started_by="statement link",
            return_path=f"/pay/statement/{token}/back/",
            language=statement.customer.language,
        )
        return redirect(start_checkout(wanted), 303)  # type: ignore[return-value]
    except InvalidFields as error:
        return _page(_statement(token), token, typed=typed, errors=error.errors, status=422)
    except DomainError as error:
        return _page(_statement(token), token, typed=typed, refused=str(error), status=422)


@bp.get("/<token>/back/<public_id>")
@open_to_all
def come_back(token: str, public_id: str) -> Response:
    """Needs the attempt's own unguessable id only: the link may have been revoked meanwhile."""
    attempt = attempt_by_public_id(public_id)
    if attempt is None or f"/pay/statement/{token}/back/" not in attempt.return_url:
        raise NotFound(_("There is nothing here, or it is not yours to see."))
    here = url_for("statement_guest.come_back", token=token, public_id=public_id)
    home = url_for("statement_guest.show", token=token) if statement_of_token(token) else ""
    return outcome_page(attempt, here=here, home=home, receipt_to=attempt.email)


def _shares(invoices: Sequence[Invoice], typed: Mapping[int, str]) -> list[tuple[int, Money]]:
    shares, errors = [], {}
    for invoice in invoices:
        words = typed[invoice.id].strip()
        try:
            if words:
                shares.append((invoice.id, read_money(words)))
        except ValueError as error:
            errors[f"amount-{invoice.id}"] = str(error)
    if errors:
        raise InvalidFields(errors)
    return shares


def _page(
    statement: Statement, token: str, *, typed: Mapping[int, str] | None = None,
    errors: Mapping[str, str] | None = None, refused: str = "", status: int = 200,
) -> Response:  # fmt: skip
    invoices = payable_of(statement)
    return render_page(
        "customer/statements/guest.html", status=status, statement=statement, token=token,
        invoices=invoices[:MOST], more=len(invoices) - MOST, typed=typed or {},
        errors=errors or {}, refused=refused, can_pay=has_gateway(), on=today(),
        ways=on_its_way([one.id for one in invoices[:MOST]]),
        total=Money.total(one.balance for one in invoices[:MOST]),
    )  # fmt: skip


def _statement(token: str) -> Statement:
    statement = statement_of_token(token)
    if statement is None:
        raise NotFound(_("This link does not work any more. Ask us for a new one."))
    return statement
