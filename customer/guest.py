"""A guest link: see and pay one invoice, nothing else."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, url_for
from flask_babel import gettext as _

from customer.paying import outcome_page, typed_amount
from portal.company import today
from portal.invoices import invoice_of_token, invoice_paper, invoice_pdf, mark_opened
from portal.kernel.errors import DomainError, NotFound
from portal.models import Invoice
from portal.payment_collection import (
    CheckoutWanted,
    attempt_by_public_id,
    has_gateway,
    live_attempts_on,
    minimum_payment,
    start_checkout,
)
from portal.web import notify, open_to_all, pdf_response, render_page

bp = Blueprint("guest", __name__, url_prefix="/pay")


@bp.get("/<token>")
@open_to_all
def show(token: str) -> Response:
    invoice = _invoice(token)
    mark_opened(invoice)
    return render_page(
        "customer/invoices/guest.html",
        invoice=invoice,
        paper=invoice_paper(invoice, link=False),
        token=token,
        attempts=live_attempts_on([invoice.id]),
        can_pay=has_gateway() and invoice.is_payable,
        least=minimum_payment(invoice.balance),
        on=today(),
    )


@bp.get("/<token>/invoice.pdf")
@open_to_all
def pdf(token: str) -> Response:
    invoice = _invoice(token)
    return pdf_response(invoice_pdf(invoice.id), f"{invoice.number}.pdf")


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
        url = start_checkout(wanted)
    except DomainError as error:
        notify(str(error), "danger")
        return redirect(url_for("guest.show", token=token), 303)  # type: ignore[return-value]
    return redirect(url, 303)  # type: ignore[return-value]


@bp.get("/<token>/back/<public_id>")
@open_to_all
def come_back(token: str, public_id: str) -> Response:
    """Needs the attempt's own unguessable id only: the link may have been revoked meanwhile."""
    attempt = attempt_by_public_id(public_id)
    if attempt is None or f"/pay/{token}/back/" not in attempt.return_url:
        raise NotFound(_("There is nothing here, or it is not yours to see."))
    here = url_for("guest.come_back", token=token, public_id=public_id)
    home = url_for("guest.show", token=token) if invoice_of_token(token) else ""
    return outcome_page(attempt, here=here, home=home)


def _invoice(token: str) -> Invoice:
    invoice = invoice_of_token(token)
    if invoice is None:
        raise NotFound(_("This link does not work any more. Ask us for a new one."))
    return invoice
