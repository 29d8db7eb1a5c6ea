"""My payments and receipts."""

from __future__ import annotations

from flask import Blueprint, Response

from customer.mine import me, my_payment
from portal.payments import find_customer_payments, receipt_pdf
from portal.web import page_request, payers_only, pdf_response, render_page

bp = Blueprint("payments", __name__, url_prefix="/payments")


@bp.get("")
@payers_only
def index() -> Response:
    page = find_customer_payments(me().customer_ids, page_request(size=25))
    return render_page("customer/payments/index.html", page=page)


@bp.get("/<int:payment_id>/receipt.pdf")
@payers_only
def receipt(payment_id: int) -> Response:
    payment = my_payment(payment_id)
    return pdf_response(receipt_pdf(payment.id), f"receipt-{payment.id}.pdf")
