"""Everything a signed-in customer may see starts here: a foreign id does not exist."""

from __future__ import annotations

from flask import abort

from portal.access import Payer
from portal.invoices import get_invoice, is_visible_to_customer
from portal.kernel.errors import NotFound
from portal.models import Invoice, Payment, PaymentPlan
from portal.payment_plans import get_plan
from portal.payments import get_money
from portal.web import current_payer


def me() -> Payer:
    return current_payer() or abort(401)


def my_invoice(invoice_id: int) -> Invoice:
    """One of my invoices that I may see; NotFound for anybody else's, drafts and no-charge ones."""
    invoice = get_invoice(invoice_id)
    if invoice.customer_id not in me().customer_ids or not is_visible_to_customer(invoice):
        raise NotFound("There is nothing here, or it is not yours to see.")
    return invoice


def my_payment(payment_id: int) -> Payment:
    """One of my payments; NotFound for anybody else's."""
    payment = get_money(payment_id)
    if payment.customer_id not in me().customer_ids:
        raise NotFound("There is nothing here, or it is not yours to see.")
    return payment


def my_plan(plan_id: int) -> PaymentPlan:
    """One of my payment plans; NotFound for anybody else's."""
    plan = get_plan(plan_id)
    if plan.customer_id not in me().customer_ids:
        raise NotFound("There is nothing here, or it is not yours to see.")
    return plan
