"""A guest link: see and pay one invoice, nothing else."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, url_for
from flask_babel import gettext as _

from customer.paying import typed_amount
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
    settle,
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
    invoice_id = _invoice(token).id
    attempt = attempt_by_public_id(public_id)
    if attempt is None or invoice_id not in [share.invoice_id for share in attempt.shares]:
        raise NotFound(_("There is nothing here, or it is not yours to see."))
    settle(attempt.id)
    return render_page(
        "customer/payments/back.html", fragment="outcome",
        attempt=attempt_by_public_id(public_id), home=url_for("guest.show", token=token),
        again=url_for("guest.come_back", token=token, public_id=public_id),
    )  # fmt: skip


def _invoice(token: str) -> Invoice:
    invoice = invoice_of_token(token)
    if invoice is None:
        raise NotFound(_("This link does not work any more. Ask us for a new one."))
    return invoice
