"""Runs of late fees: what is late, who is left out, the question, and what was charged."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from flask_babel import ngettext
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.invoices import get_invoice
from portal.kernel.errors import DomainError
from portal.late_fees import (
    ItemFilter,
    charge_run,
    fees_of,
    find_fee_runs,
    get_fee_run,
    items_of,
    leave_out,
    start_fee_run,
    stop_fee_run,
    sums_of,
    sums_of_runs,
    take_back_fee,
    taking_back_problem,
)
from portal.models import FeeItemState, FeeRunState, Invoice, LateFeeRun
from portal.web import (
    Form,
    OnceField,
    filters,
    may,
    needs,
    notify,
    once,
    page_request,
    redirect_to,
    render_page,
    require,
    signed_in_user,
)

bp = Blueprint("late_fees", __name__, url_prefix="/late-fees")
STATES = {
    FeeItemState.PROPOSED: later("Proposed"),
    FeeItemState.LEFT_OUT: later("Left out"),
    FeeItemState.NOT_CHARGED: later("Not charged"),
    FeeItemState.CHARGED: later("Charged"),
    FeeItemState.REFUSED: later("Changed since"),
}


class StartForm(Form):
    once = OnceField()


class ChargeForm(Form):
    once = OnceField()
    posts = BooleanField(later("Post the interest invoices at once"))


class BackForm(Form):
    once = OnceField()
    because = StringField(later("Because"))


@bp.get("")
@needs(Ability.CORRECT_INVOICES)
def index() -> Response:
    page = find_fee_runs(page_request())
    return render_page(
        "staff/late_fees/index.html", fragment="rows", page=page, sums=sums_of_runs(page.rows),
        form=StartForm(formdata=None), item_states=FeeItemState,
    )  # fmt: skip


@bp.post("")
@needs(Ability.CORRECT_INVOICES)
def start() -> Response:
    def act() -> Response:
        return _to(start_fee_run(by=signed_in_user()))

    return once(StartForm(), act)


@bp.get("/<int:run_id>")
@needs(Ability.CORRECT_INVOICES)
def show(run_id: int) -> Response:
    run = get_fee_run(run_id)
    return render_page(
        "staff/late_fees/show.html", fragment="run", run=run, sums=sums_of(run),
        page=items_of(run, filters(ItemFilter), page_request()), item_states=FeeItemState,
        states=[(one.value, words) for one, words in STATES.items()],
        working=run.state in (FeeRunState.LOOKING, FeeRunState.CHARGING),
    )  # fmt: skip


@bp.post("/<int:run_id>/choice")
@needs(Ability.CORRECT_INVOICES)
def choose(run_id: int) -> Response:
    """Leave the ticked ones out, or take them in again."""
    run, out = get_fee_run(run_id), request.form.get("out") == "yes"
    count = leave_out(run, request.form.getlist("item", type=int), out=out)
    notify(
        ngettext("One is left out.", "%(num)s are left out.", count)
        if out
        else ngettext("One is charged again.", "%(num)s are charged again.", count)
    )
    return redirect_to(
        "staff.late_fees.show", run_id=run.id, state=request.form.get("state") or None
    )


@bp.get("/<int:run_id>/charging")
@needs(Ability.CORRECT_INVOICES)
def question(run_id: int) -> Response:
    form = ChargeForm(formdata=None)
    form.posts.data = may(Ability.POST_INVOICES)
    return _question(get_fee_run(run_id), form)


@bp.post("/<int:run_id>/charging")
@needs(Ability.CORRECT_INVOICES)
def charge(run_id: int) -> Response:
    run, form = get_fee_run(run_id), ChargeForm()
    if form.posts.data:
        require(Ability.POST_INVOICES)
    try:
        if form.is_sent():
            return once(form, lambda: _charge(run, form))
    except DomainError as error:
        form.refuse(error)
    return _question(run, form, status=422)


@bp.post("/<int:run_id>/stop")
@needs(Ability.CORRECT_INVOICES)
def stop(run_id: int) -> Response:
    stop_fee_run(get_fee_run(run_id))
    notify(_("Stopped. What was charged stays charged; nothing else is."), "warning")
    return redirect_to("staff.late_fees.show", run_id=run_id)


@bp.get("/invoices/<int:invoice_id>/taking-back")
@needs(Ability.CORRECT_INVOICES)
def taking_back(invoice_id: int) -> Response:
    document = get_invoice(invoice_id)
    if problem := taking_back_problem(document):
        raise DomainError(problem)
    return _back(document, BackForm(formdata=None))


@bp.post("/invoices/<int:invoice_id>/taking-back")
@needs(Ability.CORRECT_INVOICES)
def take_back(invoice_id: int) -> Response:
    document, form = get_invoice(invoice_id), BackForm()
    if document.is_on_the_books:
        require(Ability.POST_INVOICES)
    try:
        if form.is_sent():
            return once(form, lambda: _take_back(document, form))
    except DomainError as error:
        form.refuse(error)
    return _back(document, form, status=422)


def _charge(run: LateFeeRun, form: ChargeForm) -> Response:
    charge_run(run, posts=bool(form.posts.data))
    return _to(run)


def _take_back(document: Invoice, form: BackForm) -> Response:
    take_back_fee(document, because=form.because.data or "", by=signed_in_user())
    notify(_("The late fee of %(a)s was taken back.", a=str(document.total)))
    return redirect_to("staff.invoices.show", invoice_id=document.id)


def _question(run: LateFeeRun, form: ChargeForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/late_fees/question.html", status=status, run=run, form=form,
        proposed=sums_of(run)[FeeItemState.PROPOSED], may_post=may(Ability.POST_INVOICES),
    )  # fmt: skip


def _back(document: Invoice, form: BackForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/late_fees/taking_back.html", status=status, invoice=document, form=form,
        fees=fees_of(document),
    )  # fmt: skip


def _to(run: LateFeeRun) -> Response:
    return redirect_to("staff.late_fees.show", run_id=run.id)
