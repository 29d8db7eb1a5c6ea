"""Paying one invoice or a part of it, and the page one comes back to."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from flask_babel import gettext as _

from customer.invoices import page_of
from customer.mine import me, my_invoice
from portal.company import today
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.kernel.money import Money
from portal.models import Invoice, PaymentAttempt
from portal.payment_collection import (
    CheckoutWanted,
    attempt_by_public_id,
    expected_on,
    settle,
    start_checkout,
    told_of_attempt,
)
from portal.payments import apply_credit, receipt_email
from portal.web import notify, payers_only, read_money, redirect_to, render_page

MOST_TURNS = 20  # three seconds each

bp = Blueprint("paying", __name__, url_prefix="/pay")


@bp.post("/<int:invoice_id>")
@payers_only
def pay_one(invoice_id: int) -> Response:
    invoice = my_invoice(invoice_id)
    if not me().may_pay(invoice.customer_id):
        raise DomainError(_("You may see this invoice but not pay it."))
    try:
        return to_checkout([(invoice.id, typed_amount(invoice))])
    except DomainError as error:
        typed = request.form.get("amount", "")
        return page_of(my_invoice(invoice_id), error=str(error), typed=typed, status=422)


@bp.post("/<int:invoice_id>/credit")
@payers_only
def use_credit(invoice_id: int) -> Response:
    invoice = my_invoice(invoice_id)
    if not me().may_pay(invoice.customer_id):
        raise DomainError(_("You may see this invoice but not pay it."))
    used = apply_credit(invoice, on=today())
    if used:
        notify(_("%(a)s of your credit were used for this invoice.", a=used))
    else:
        notify(_("There was no credit left to use."), "danger")
    return redirect_to("customer.invoices.show", invoice_id=invoice_id)


@bp.get("/back/<public_id>")
@payers_only
def come_back(public_id: str) -> Response:
    """The truth as far as anybody knows it now; fetched, not taken from the address."""
    attempt = attempt_by_public_id(public_id)
    if attempt is None or attempt.customer_id not in me().customer_ids:
        raise NotFound(_("There is nothing here, or it is not yours to see."))
    here = url_for("customer.paying.come_back", public_id=public_id)
    return outcome_page(attempt, here=here, home=url_for("customer.home.show"),
                        receipt_to=receipt_email(attempt.customer, attempt.email))  # fmt: skip


def outcome_page(
    attempt: PaymentAttempt, *, here: str, home: str, receipt_to: str | None
) -> Response:
    """What became of the payment; a page left open asks again for a minute, then stops.

    A guest is not told the address of the customer's contact.
    """
    turn = request.args.get("turn", 0, type=int)
    settle(attempt.id)
    now = attempt_by_public_id(attempt.public_id)
    assert now is not None
    return render_page(
        "customer/payments/back.html", fragment="outcome", attempt=now, home=home, here=here,
        again=f"{here}?turn={turn + 1}" if turn < MOST_TURNS else "",
        receipt_to=receipt_to, expected=expected_on(now),
        told=told_of_attempt(now, now.language),
    )  # fmt: skip


def typed_amount(invoice: Invoice) -> Money:
    """The part that was typed, or the whole balance; InvalidFields for what is no amount."""
    if request.form.get("which") != "part":
        return invoice.balance
    typed = request.form.get("amount", "").strip()
    if not typed:
        raise InvalidFields({"amount": _("Type the amount you want to pay.")})
    try:
        return read_money(typed)
    except ValueError as error:
        raise InvalidFields({"amount": str(error)}) from None


def to_checkout(shares: list[tuple[int, Money]]) -> Response:
    """Off to the gateway's page for these shares; the payer comes back to /my/pay/back/."""
    url = start_checkout(
        CheckoutWanted(
            shares=shares,
            started_by=me().email,
            return_path="/my/pay/back/",
            email=me().email,
            language=me().language,
        )
    )
    return redirect(url, 303)  # type: ignore[return-value]
