"""The gateway's side of a payment: its requests and disputes, and looking there for refunds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, url_for
from flask_babel import gettext as _

from portal.access import Ability
from portal.kernel.errors import DomainError
from portal.models import Dispute, Payment, RefundRequest
from portal.payment_collection import (
    disputes_of,
    find_refunds,
    gateway_problem,
    requests_of,
)
from portal.payments import get_payment
from portal.web import needs, notify, redirect_to

bp = Blueprint("payments_online", __name__, url_prefix="/payments")


@dataclass(frozen=True)
class MoneyBack:
    """What a payment's page says of money that goes back."""

    disputes: Sequence[Dispute]
    requests: Sequence[RefundRequest]
    comparable: bool
    test_page: str


def money_back_of(payment: Payment) -> MoneyBack:
    comparable = gateway_problem(payment) is None
    is_test = comparable and payment.provider == "test"
    return MoneyBack(
        disputes=disputes_of(payment),
        requests=requests_of(payment),
        comparable=comparable,
        test_page=url_for("test_gateway.payment", payment_ref=payment.provider_ref)
        if is_test
        else "",
    )


@bp.post("/<int:payment_id>/comparison")
@needs(Ability.REFUND_PAYMENTS)
def compare(payment_id: int) -> Response:
    payment = get_payment(payment_id)
    if problem := gateway_problem(payment):
        raise DomainError(problem)
    assert payment.provider_ref is not None
    _state, note = find_refunds(payment.provider_ref)
    notify(_("The gateway was asked. %(n)s", n=note))
    return redirect_to("staff.payments.show", payment_id=payment_id)
