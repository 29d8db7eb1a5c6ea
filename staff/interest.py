"""Charging interest on one overdue invoice by hand: the computation in words, then a draft."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from portal.access import Ability
from portal.company import today
from portal.invoices import (
    InterestProposal,
    charge_interest,
    get_invoice,
    interest_problem,
    propose_interest,
)
from portal.kernel.errors import DomainError
from portal.models import Invoice
from portal.web import (
    Form,
    MoneyField,
    OnceField,
    PercentField,
    needs,
    notify,
    once,
    redirect_to,
    render_page,
)

bp = Blueprint("interest", __name__, url_prefix="/invoices/<int:invoice_id>/interest")


class InterestForm(Form):
    once = OnceField()
    rate = PercentField(later("Per cent per year"), required=False)
    flat = MoneyField(later("or a flat amount"), required=False)


@bp.get("")
@needs(Ability.CORRECT_INVOICES)
def question(invoice_id: int) -> Response:
    """Also what htmx asks for while somebody types: the computation anew, nothing else."""
    form = InterestForm(request.args)
    return _page(get_invoice(invoice_id), form, look=bool(request.args))


@bp.post("")
@needs(Ability.CORRECT_INVOICES)
def charge(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    form = InterestForm()
    try:
        if form.is_sent():
            return once(form, lambda: _charge(invoice, form))
    except DomainError as error:
        form.refuse(error)
    return _page(invoice, form, status=422)


def _charge(invoice: Invoice, form: InterestForm) -> Response:
    draft = charge_interest(invoice, rate=form.rate.data, flat=form.flat.data)
    notify(_("Interest of %(a)s: look at the draft, then post it.", a=str(draft.total)))
    return redirect_to("staff.invoices.show", invoice_id=draft.id)


def _page(
    invoice: Invoice, form: InterestForm, *, status: int = 200, look: bool = False
) -> Response:
    problem = interest_problem(invoice, on=today())
    return render_page(
        "staff/invoices/interest.html", fragment="computation", status=status, invoice=invoice,
        form=form, problem=problem, proposal=_proposal(invoice, form, problem, look), on=today(),
    )  # fmt: skip


def _proposal(
    invoice: Invoice, form: InterestForm, problem: str | None, look: bool
) -> InterestProposal | None:
    """What the fields come to; what cannot be computed yet is told beside the field."""
    readable = all([form.rate.validate(form), form.flat.validate(form)])
    if problem or not look or not readable:
        return None
    try:
        return propose_interest(invoice, rate=form.rate.data, flat=form.flat.data, on=today())
    except DomainError as error:
        form.refuse(error)
        return None
