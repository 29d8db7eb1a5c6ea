"""My invoices."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from customer.documents import document_of
from customer.in_parts import paid_in_parts
from customer.mine import me, my_invoice
from portal.company import today
from portal.files import thumbnail
from portal.invoices import (
    find_customer_invoices,
    invoice_paper,
    live_plans_of,
    mark_opened,
)
from portal.models import Invoice
from portal.payment_collection import has_gateway, minimum_payment, on_its_way
from portal.payments import free_credit_of
from portal.web import page_request, payers_only, render_page

bp = Blueprint("invoices", __name__, url_prefix="/invoices")


@bp.get("")
@payers_only
def index() -> Response:
    page = find_customer_invoices(me().customer_ids, page_request(size=25))
    ways = on_its_way([one.id for one in page.rows])
    payable = {one.id for one in page.rows if _is_payable(one) and one.id not in ways}
    return render_page(
        "customer/invoices/index.html", page=page, on=today(), ways=ways, payable=payable,
        parts=paid_in_parts(page.rows, on=today()),
    )  # fmt: skip


def _is_payable(invoice: Invoice) -> bool:
    return has_gateway() and invoice.is_payable and me().may_pay(invoice.customer_id)


@bp.get("/<int:invoice_id>")
@payers_only
def show(invoice_id: int) -> Response:
    invoice = my_invoice(invoice_id)
    mark_opened(invoice)
    return page_of(invoice)


def page_of(invoice: Invoice, *, error: str = "", typed: str = "", status: int = 200) -> Response:
    """One invoice with its way to pay; `error` stands beside the amount that was `typed`."""
    return render_page(
        "customer/invoices/show.html",
        status=status,
        invoice=invoice,
        paper=invoice_paper(invoice, link=False),
        plan=live_plans_of([invoice.id]).get(invoice.id),
        parts=paid_in_parts([invoice], on=today()).get(invoice.id),
        way=on_its_way([invoice.id]).get(invoice.id),
        can_pay=_is_payable(invoice),
        least=minimum_payment(invoice.balance),
        photos=[photo for photo in invoice.job.photos if photo.shared] if invoice.job else [],
        on=today(),
        error=error,
        typed=typed,
        credit=free_credit_of(invoice.customer_id),
    )


@bp.get("/<int:invoice_id>/invoice.pdf")
@payers_only
def pdf(invoice_id: int) -> Response:
    invoice = my_invoice(invoice_id)
    return document_of(invoice, link=False)


@bp.get("/<int:invoice_id>/photos/<int:photo_id>.jpg")
@payers_only
def photo(invoice_id: int, photo_id: int) -> Response:
    invoice = my_invoice(invoice_id)
    shared = [one for one in invoice.job.photos if one.shared] if invoice.job else []
    wanted = next((one for one in shared if one.id == photo_id), None) or abort(404)
    try:
        return Response(thumbnail(wanted.file.key, side=1200), mimetype="image/jpeg")
    except OSError:
        abort(404)
