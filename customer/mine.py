"""Everything a signed-in customer may see starts here: a foreign id does not exist."""

from __future__ import annotations

from collections.abc import Sequence

from flask import abort

from portal.access import Payer
from portal.invoices import get_invoice, is_visible_to_customer, live_plans_of
from portal.kernel.errors import NotFound
from portal.models import Customer, Invoice, Payment, PaymentPlan, SavedMethod
from portal.payment_collection import find_method
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


def may_ask_for_plan(invoices: Sequence[Invoice]) -> bool:
    """Whether any of these open invoices could still be put on a payment plan."""
    planned = live_plans_of([one.id for one in invoices])
    mine = [one for one in invoices if me().may_pay(one.customer_id) and one.is_on_the_books]
    return any(one.id not in planned for one in mine)


def paying_customers() -> list[Customer]:
    """The customers I may pay for: their payment methods are mine to look after."""
    return [one.customer for one in me().contacts if me().may_pay(one.customer_id)]


def paying_customer(customer_id: int) -> Customer:
    """One of them, or the only one when none is named; NotFound for anybody else's."""
    mine = paying_customers()
    if not customer_id and len(mine) == 1:
        return mine[0]
    found = next((one for one in mine if one.id == customer_id), None)
    if found is None:
        raise NotFound("There is nothing here, or it is not yours to see.")
    return found


def my_method(method_id: int) -> SavedMethod:
    """A kept payment method of a customer I may pay for; NotFound for any other."""
    method = find_method(method_id)
    if method is None or not me().may_pay(method.customer_id):
        raise NotFound("There is nothing here, or it is not yours to see.")
    return method


def my_plan(plan_id: int) -> PaymentPlan:
    """One of my payment plans; NotFound for anybody else's."""
    plan = get_plan(plan_id)
    if plan.customer_id not in me().customer_ids:
        raise NotFound("There is nothing here, or it is not yours to see.")
    return plan
