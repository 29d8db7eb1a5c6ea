"""A guest link: see and pay one invoice, nothing else."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from flask_babel import gettext as _

from customer.documents import document_of
from customer.in_parts import paid_in_parts
from customer.paying import outcome_page, typed_amount
from portal.company import today
from portal.invoices import invoice_of_token, invoice_paper, mark_opened
from portal.kernel.errors import DomainError, NotFound
from portal.models import Invoice
from portal.payment_collection import (
    CheckoutWanted,
    attempt_by_public_id,
    has_gateway,
    minimum_payment,
    on_its_way,
    start_checkout,
)
from portal.web import is_the_office, open_to_all, render_page

bp = Blueprint("guest", __name__, url_prefix="/pay")


@bp.get("/<token>")
@open_to_all
def show(token: str) -> Response:
    invoice = _invoice(token)
    if not is_the_office():  # a clerk who tries the link is not the customer
        mark_opened(invoice)
    return _page(invoice, token)


@bp.get("/<token>/invoice.pdf")
@open_to_all
def pdf(token: str) -> Response:
    invoice = _invoice(token)
    return document_of(invoice)


@bp.post("/<token>")
@open_to_all
def pay(token: str) -> Response:
    invoice = _invoice(token)
    try:
        wanted = CheckoutWanted(
            shares=[(invoice.id, typed_amount(invoice))],
            started_by="guest link",
            return_path=f"/pay/{token}/back/",
            language=invoice.customer.language,
        )
        return redirect(start_checkout(wanted), 303)  # type: ignore[return-value]
    except DomainError as error:
        typed = request.form.get("amount", "")
        return _page(_invoice(token), token, error=str(error), typed=typed, status=422)


@bp.get("/<token>/back/<public_id>")
@open_to_all
def come_back(token: str, public_id: str) -> Response:
    """Needs the attempt's own unguessable id only: the link may have been revoked meanwhile."""
    attempt = attempt_by_public_id(public_id)
    if attempt is None or f"/pay/{token}/back/" not in attempt.return_url:
        raise NotFound(_("There is nothing here, or it is not yours to see."))
    here = url_for("guest.come_back", token=token, public_id=public_id)
    home = url_for("guest.show", token=token) if invoice_of_token(token) else ""
    return outcome_page(attempt, here=here, home=home, receipt_to=attempt.email)


def _page(
    invoice: Invoice, token: str, *, error: str = "", typed: str = "", status: int = 200
) -> Response:
    return render_page(
        "customer/invoices/guest.html",
        status=status,
        invoice=invoice,
        paper=invoice_paper(invoice, link=False),
        token=token,
        parts=paid_in_parts([invoice], on=today()).get(invoice.id),
        way=on_its_way([invoice.id]).get(invoice.id),
        can_pay=has_gateway() and invoice.is_payable,
        least=minimum_payment(invoice.balance),
        on=today(),
        error=error,
        typed=typed,
    )


def _invoice(token: str) -> Invoice:
    invoice = invoice_of_token(token)
    if invoice is None:
        raise NotFound(_("This link does not work any more. Ask us for a new one."))
    return invoice
