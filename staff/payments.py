"""Payments: list, record, taking one at the desk, receipts, applying and taking back."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.company import today
from portal.customers import get_customer
from portal.invoices import open_invoices
from portal.kernel.calendar import add_months
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.ledger import entries_about, journal_of
from portal.models import Customer, Invoice, Payment, PaymentState
from portal.payment_collection import on_its_way
from portal.payments import (
    PaymentFilter,
    PaymentSort,
    ReceivedMoney,
    apply_oldest_first,
    bound_problem,
    change_problem,
    find_payments,
    get_money,
    get_payment,
    is_exported,
    payment_types,
    receipt_pdf,
    receive_payment,
    refund_problem,
    refunds_of,
    return_problem,
    unapply,
    undo_return_problem,
)
from portal.web import (
    DayField,
    Form,
    IdField,
    MoneyField,
    OnceField,
    filters,
    may,
    needs,
    notify,
    once,
    page_request,
    pdf_response,
    redirect_to,
    render_page,
)
from staff.choices import row_of
from staff.payment_shares import Proposal, first_of, propose, read_shares
from staff.payments_online import money_back_of

OLDEST = 12  # months: what was received before is a slip of the pen, or an import

_SORT_WORDS = {
    PaymentSort.RECEIVED: later("Money received"),
    PaymentSort.REFUNDS: later("Refunds"),
    PaymentSort.RETURNED: later("Returned"),
    PaymentSort.CREDIT_OF_DOCUMENTS: later("Credit of documents"),
}

bp = Blueprint("payments", __name__, url_prefix="/payments")


class PaymentForm(Form):
    once = OnceField()
    amount = MoneyField("Amount received")
    type_id = IdField("Paid by", empty=None)
    received_on = DayField("Received on", required=True)
    reference = StringField("Check number or reference")
    memo = StringField("Note")


@bp.get("")
@needs(Ability.VIEW_PAYMENTS)
def index() -> Response:
    wanted = filters(PaymentFilter)
    return render_page(
        "staff/payments/index.html", fragment="rows",
        page=find_payments(wanted, page_request()),
        customer=get_customer(wanted.customer_id) if wanted.customer_id else None,
        states=[(one.value, one.value.capitalize()) for one in PaymentState],
        sorts=[(one.value, _SORT_WORDS[one]) for one in PaymentSort],
    )  # fmt: skip


@bp.get("/new")
@needs(Ability.TAKE_PAYMENTS)
def new() -> Response:
    customer = get_customer(request.args.get("customer_id", 0, type=int))
    form = _form(None)
    asked = first_of(open_invoices(customer.id))
    if asked is None:
        return _form_page(customer, form)
    form.amount.data = asked.balance
    return _form_page(customer, form, typed={}, first=asked)


@bp.get("/new/shares")
@needs(Ability.TAKE_PAYMENTS)
def shares() -> Response:
    """What the typed amount would pay, while nobody says otherwise."""
    customer = get_customer(request.args.get("customer_id", 0, type=int))
    form = PaymentForm(request.args)
    form.type_id.offer(payment_types())
    first = first_of(open_invoices(customer.id))
    return _form_page(customer, form, typed=request.args, first=first)


@bp.post("")
@needs(Ability.TAKE_PAYMENTS)
def create() -> Response:
    customer = get_customer(request.args.get("customer_id", 0, type=int))
    form = _form(request.form)
    try:
        if form.is_sent():
            return once(form, lambda: _record(customer, form))
    except DomainError as error:
        form.refuse(error)
    return _form_page(customer, form, status=422, first=first_of(open_invoices(customer.id)))


@bp.get("/<int:payment_id>")
@needs(Ability.VIEW_PAYMENTS)
def show(payment_id: int) -> Response:
    payment = get_payment(payment_id)
    if payment.is_refund:
        return redirect_to("staff.refunds.show", refund_id=payment_id)
    return render_page(
        "staff/payments/show.html", payment=payment,
        journal=journal_of(entries_about(payment)),
        trail=trail_of(payment), refunds=refunds_of(payment),
        reversed_ids={one.reverses_id for one in payment.applications if one.reverses_id},
        open_count=len(open_invoices(payment.customer_id)), locked_ids=_locked_ids(payment),
        unchangeable=change_problem(payment), unreturnable=return_problem(payment),
        unrefundable=refund_problem(payment), bound=bound_problem(payment),
        undoable=undo_return_problem(payment),
        money_back=money_back_of(payment),
    )  # fmt: skip


@bp.post("/<int:payment_id>/applications")
@needs(Ability.TAKE_PAYMENTS)
def apply(payment_id: int) -> Response:
    applied = apply_oldest_first(get_payment(payment_id), on=today())
    notify(
        _("%(a)s were applied.", a=str(applied)) if applied else _("There was nothing to apply to.")
    )
    return redirect_to("staff.payments.show", payment_id=payment_id)


@bp.post("/<int:payment_id>/applications/<int:application_id>/reversal")
@needs(Ability.UNAPPLY_PAYMENTS)
def take_back(payment_id: int, application_id: int) -> Response:
    application = row_of(get_payment(payment_id).applications, application_id)
    unapply(application, exported_too=may(Ability.UNAPPLY_EXPORTED))
    notify(_("The money is the customer's credit again."))
    return redirect_to("staff.payments.show", payment_id=payment_id)


@bp.get("/<int:payment_id>/receipt.pdf")
@needs(Ability.VIEW_PAYMENTS)
def receipt(payment_id: int) -> Response:
    payment = get_money(payment_id)
    return pdf_response(receipt_pdf(payment.id), f"receipt-{payment.id}.pdf")


def _locked_ids(payment: Payment) -> set[int]:
    """What the accounting system knows of and this person may not take back."""
    if may(Ability.UNAPPLY_EXPORTED):
        return set()
    return {one.id for one in payment.applications if is_exported(one)}


def _record(customer: Customer, form: PaymentForm) -> Response:
    invoices = open_invoices(customer.id)
    payment = receive_payment(
        _money(customer, form), read_shares(invoices, form.amount.data, request.form)
    )
    notify(_("%(a)s were recorded.", a=str(payment.amount)))
    return redirect_to("staff.payments.show", payment_id=payment.id)


def _form(sent: object) -> PaymentForm:
    form = PaymentForm(sent)
    form.type_id.offer(payment_types())
    if sent is None:
        form.received_on.data = today()
    return form


def _money(customer: Customer, form: PaymentForm) -> ReceivedMoney:
    if form.received_on.data > today():
        raise InvalidFields({"received_on": _("Money cannot be received in the future.")})
    if form.received_on.data < add_months(today(), -OLDEST):
        raise InvalidFields({"received_on": _("That is more than a year ago. Check the year.")})
    return ReceivedMoney(
        customer=customer,
        amount=form.amount.data,
        type=row_of(payment_types(), form.type_id.data),
        on=form.received_on.data,
        reference=(form.reference.data or "").strip(),
        memo=(form.memo.data or "").strip(),
    )


def _proposal(invoices: list[Invoice], form: PaymentForm) -> Proposal:
    amount = form.amount.data
    return propose(invoices, amount if isinstance(amount, Money) and amount > ZERO else ZERO)


def _form_page(
    customer: Customer,
    form: PaymentForm,
    *,
    status: int = 200,
    typed: Mapping[str, str] | None = None,
    first: Invoice | None = None,
) -> Response:
    """`typed` is what stands beside the invoices: what was sent, unless told otherwise."""
    invoices = open_invoices(customer.id)
    return render_page(
        "staff/payments/form.html", status=status, customer=customer, form=form,
        invoices=invoices, typed=request.form if typed is None else typed, first=first,
        proposal=_proposal(invoices, form), fragment="shares",
        ways=on_its_way([one.id for one in invoices]),
    )  # fmt: skip
