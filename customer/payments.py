"""My payments and receipts."""

from __future__ import annotations

from flask import Blueprint, Response

from customer.mine import me, my_payment
from portal.payments import latest_payments, receipt_pdf
from portal.web import payers_only, render_page

bp = Blueprint("payments", __name__, url_prefix="/payments")


@bp.get("")
@payers_only
def index() -> Response:
    payments = latest_payments(me().customer_ids, limit=200)
    return render_page("customer/payments/index.html", payments=payments)


@bp.get("/<int:payment_id>/receipt.pdf")
@payers_only
def receipt(payment_id: int) -> Response:
    payment = my_payment(payment_id)
    response = Response(receipt_pdf(payment.id), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="receipt-{payment.id}.pdf"'
    return response
