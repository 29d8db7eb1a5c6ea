"""Refunds: giving money back, the record of it, voiding one that was never made."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import RadioField, SelectField, StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.company import today
from portal.invoices import get_invoice
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.kernel.money import Money
from portal.ledger import entries_of, journal_of
from portal.models import Invoice, Payment, RefundEffect, RefundRequest
from portal.payment_collection import gateway_refund_of, give_back_or_ask, recheck_refund
from portal.payments import (
    RefundSource,
    RefundWords,
    get_payment,
    refund_problem,
    refund_reasons,
    shares_of_lines,
    sources_of_invoice,
    sources_of_payment,
    void_problem,
    void_refund,
)
from portal.web import (
    DayField,
    Form,
    IdField,
    MoneyField,
    OnceField,
    PercentField,
    needs,
    notify,
    once,
    redirect_to,
    render_page,
    signed_in_user,
    words_of,
)
from staff.choices import row_of
from staff.refund_ways import chosen_way, offer_ways
from staff.refund_words import EFFECTS, foretold, source_words

bp = Blueprint("refunds", __name__, url_prefix="/refunds")

AMOUNT, PERCENT, LINES = "amount", "percent", "lines"


class RefundForm(Form):
    once = OnceField()
    source = SelectField("Out of")
    how = RadioField("How much", default=AMOUNT)
    amount = MoneyField("Amount", required=False)
    percent = PercentField("Percent", required=False)
    reason_id = IdField("Why", empty="Choose why")
    effect = SelectField("What else happens", default="")
    type_id = IdField("Given back by", empty=None)
    on = DayField("On", required=True)
    reference = StringField("Check number or reference")
    memo = StringField("Note")


@bp.get("/new")
@needs(Ability.REFUND_PAYMENTS)
def new() -> Response:
    sources = _sources()
    form = _form(sources, None)
    form.on.data, form.amount.data = today(), sources[0].limit
    return _form_page(sources, form)


@bp.post("")
@needs(Ability.REFUND_PAYMENTS)
def create() -> Response:
    sources = _sources()
    form = _form(sources, request.form)
    if "back" in request.form:
        return _form_page(sources, form)
    try:
        if form.is_sent():
            return _ask_or_make(sources, form)
    except DomainError as error:
        form.refuse(error)
    return _form_page(sources, form, status=422)


@bp.get("/<int:refund_id>")
@needs(Ability.VIEW_PAYMENTS)
def show(refund_id: int) -> Response:
    given = _refund(refund_id)
    at_gateway = gateway_refund_of(given)
    return render_page(
        "staff/refunds/show.html", given=given, trail=trail_of(given), at_gateway=at_gateway,
        journal=journal_of([*entries_of(given), *(entries_of(at_gateway) if at_gateway else [])]),
        source=given.refunds, money=given.gives_back, unvoidable=void_problem(given),
    )  # fmt: skip


@bp.post("/<int:refund_id>/look")
@needs(Ability.REFUND_PAYMENTS)
def look(refund_id: int) -> Response:
    row = gateway_refund_of(_refund(refund_id))
    if row is None:
        raise NotFound(_("This refund did not go through the gateway."))
    notify(_("The gateway says: %(s)s.", s=words_of(recheck_refund(row.id)).lower()))
    return redirect_to("staff.refunds.show", refund_id=refund_id)


@bp.get("/<int:refund_id>/voiding")
@needs(Ability.REFUND_PAYMENTS)
def ask_to_void(refund_id: int) -> Response:
    given = _refund(refund_id)
    if problem := void_problem(given):
        raise DomainError(problem)
    return render_page("staff/refunds/voiding.html", given=given)


@bp.post("/<int:refund_id>/voiding")
@needs(Ability.REFUND_PAYMENTS)
def void(refund_id: int) -> Response:
    void_refund(_refund(refund_id), version=request.form.get("version", 0, type=int))
    notify(_("The refund was voided: the money is the customer's credit again."))
    return redirect_to("staff.refunds.show", refund_id=refund_id)


def _ask_or_make(sources: Sequence[RefundSource], form: RefundForm) -> Response:
    """The first press shows what will happen; the second does just that."""
    source = next(one for one in sources if one.key == form.source.data)
    words = _words(source, form)
    told = foretold(source, words)
    if request.form.get("seen") != told.seal:
        return render_page(
            "staff/refunds/question.html", told=told, source=source, address=request.full_path,
            typed=[(name, value) for name, value in request.form.items(multi=True)
                   if name not in ("csrf_token", "seen", "back")],
        )  # fmt: skip
    return once(form, lambda: _make(source, words))


def _make(source: RefundSource, words: RefundWords) -> Response:
    made = give_back_or_ask(source, words, by=signed_in_user())
    if isinstance(made, RefundRequest):
        notify(_("Somebody else has to approve it: it waits among the refunds."), "warning")
        return redirect_to("staff.refund_requests.show", request_id=made.id)
    if words.through_gateway:
        notify(_("%(a)s are on their way back.", a=str(words.amount)))
    else:
        notify(_("%(a)s were given back.", a=str(words.amount)))
    return redirect_to("staff.refunds.show", refund_id=made.id)


def _refund(refund_id: int) -> Payment:
    given = get_payment(refund_id)
    if not given.is_refund:
        raise NotFound(_("There is no such refund."))
    return given


def _sources() -> list[RefundSource]:
    """What the address is about: a payment's credit, what it paid, or all an invoice got."""
    payment_id = request.args.get("payment_id", type=int)
    invoice = _invoice()
    if payment_id is None:
        found = sources_of_invoice(invoice) if invoice else []
        problem = None
    else:
        payment, wanted = get_payment(payment_id), invoice.id if invoice else 0
        found = [
            one for one in sources_of_payment(payment)
            if (one.invoice.id if one.invoice else 0) == wanted
        ]  # fmt: skip
        problem = refund_problem(payment)
    if not found:
        raise DomainError(problem or _("There is no money here that could be given back."))
    return found


def _invoice() -> Invoice | None:
    invoice_id = request.args.get("invoice_id", type=int)
    return get_invoice(invoice_id) if invoice_id else None


def _form(sources: Sequence[RefundSource], sent: object) -> RefundForm:
    form = RefundForm(sent)
    form.source.choices = [(one.key, source_words(one)) for one in sources]
    form.reason_id.offer(refund_reasons())
    offer_ways(form, sources)
    form.effect.choices = [("", _("As the reason says")), *EFFECTS.items()]
    form.how.choices = [(AMOUNT, _("An amount")), (PERCENT, _("Percent of it"))]
    if _invoice() is not None:
        form.how.choices.append((LINES, _("Whole lines of the invoice")))
    return form


def _words(source: RefundSource, form: RefundForm) -> RefundWords:
    if not form.reason_id.data:
        raise InvalidFields({"reason_id": _("Choose why the money goes back.")})
    line_ids = request.form.getlist("line_ids", type=int) if form.how.data == LINES else []
    way, through_gateway = chosen_way(form, source)
    return RefundWords(
        reason=row_of(refund_reasons(), form.reason_id.data),
        type=way,
        amount=_amount(source, form, line_ids),
        on=form.on.data,
        effect=RefundEffect(form.effect.data) if form.effect.data else None,
        line_ids=line_ids,
        reference=(form.reference.data or "").strip(),
        memo=(form.memo.data or "").strip(),
        through_gateway=through_gateway,
    )


def _amount(source: RefundSource, form: RefundForm, line_ids: Sequence[int]) -> Money:
    if form.how.data == LINES and source.invoice is not None:
        if not line_ids:
            raise DomainError(_("Tick the lines whose price goes back."))
        return shares_of_lines(source.invoice, line_ids).total
    if form.how.data == PERCENT:
        if form.percent.data is None:
            raise InvalidFields({"percent": _("Give a percentage such as 8.875.")})
        return source.base.times(form.percent.data.value)
    if form.amount.data is None:
        raise InvalidFields({"amount": _("Give an amount such as 12.50.")})
    return form.amount.data  # type: ignore[no-any-return]


def _form_page(sources: Sequence[RefundSource], form: RefundForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/refunds/form.html", status=status, form=form, sources=sources, invoice=_invoice(),
        customer=sources[0].gives_back.customer, address=request.full_path.replace("/new?", "?"),
        reasons=refund_reasons(), effects=EFFECTS,
        ticked=request.form.getlist("line_ids", type=int),
    )  # fmt: skip
