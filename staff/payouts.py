"""Payouts: what the processor sent to the bank, and the proof that it is right."""

from __future__ import annotations

from flask import Blueprint, Response, request, send_file
from flask_babel import gettext as _

from portal.access import Ability
from portal.audit import trail_of
from portal.company import company
from portal.kernel.errors import DomainError
from portal.models import PayoutState
from portal.payment_collection import (
    PayoutFilter,
    bank_accounts,
    choose_payout_account,
    deposit_of,
    find_payouts,
    find_payouts_kept,
    get_payout,
    has_test_gateway,
    let_arrive,
    let_fail,
    movements_in,
    pay_out_now,
    payout_account,
    proof_of,
    settle_payout,
    waiting_online,
    workbook_of_payout,
)
from portal.web import (
    Form,
    IdField,
    VersionField,
    filters,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
)

bp = Blueprint("payouts", __name__, url_prefix="/online-payments/payouts")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class AccountForm(Form):
    version = VersionField()
    account_id = IdField("Payouts arrive in", empty=None)


@bp.get("")
@needs(Ability.RECONCILE)
def index() -> Response:
    return _index(_account_form(None))


@bp.post("/look")
@needs(Ability.RECONCILE)
def look_for_new() -> Response:
    find_payouts()
    notify(_("The processor was asked. What is new shows up here in a moment."))
    return redirect_to("staff.payouts.index")


@bp.post("/account")
@needs(Ability.RECONCILE)
def choose_account() -> Response:
    form = _account_form(request.form)
    try:
        if form.is_sent():
            choose_payout_account(form.account_id.data, version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.payouts.index")
    except DomainError as error:
        form.refuse(error)
    return _index(form, status=422)


@bp.post("/test")
@needs(Ability.RECONCILE)
def pay_out() -> Response:
    if pay_out_now():
        notify(_("TEST GATEWAY: paid out. It shows up here in a moment."))
    else:
        notify(_("TEST GATEWAY: nothing moved since the last payout."), "warning")
    return redirect_to("staff.payouts.index")


@bp.get("/<int:payout_id>")
@needs(Ability.RECONCILE)
def show(payout_id: int) -> Response:
    payout = get_payout(payout_id)
    is_test = payout.gateway == "test" and has_test_gateway()
    return render_page(
        "staff/payouts/show.html", fragment="rows", payout=payout, is_test=is_test,
        page=movements_in(payout, page_request()), proof=proof_of(payout),
        deposit=deposit_of(payout), trail=trail_of(payout), states=PayoutState,
    )  # fmt: skip


@bp.get("/<int:payout_id>/payout.xlsx")
@needs(Ability.RECONCILE)
def workbook(payout_id: int) -> Response:
    payout = get_payout(payout_id)
    name = f"payout-{payout.arrives_on}-{payout.id}.xlsx"
    file = workbook_of_payout(payout)
    return send_file(file, mimetype=XLSX, as_attachment=True, download_name=name)


@bp.post("/<int:payout_id>/look")
@needs(Ability.RECONCILE)
def look(payout_id: int) -> Response:
    settle_payout(payout_id)
    matched = get_payout(payout_id).matched_at is not None
    words = _("Every movement matches.") if matched else _("Not everything matches yet.")
    notify(words, "success" if matched else "warning")
    return redirect_to("staff.payouts.show", payout_id=payout_id)


@bp.post("/<int:payout_id>/arrival")
@needs(Ability.RECONCILE)
def arrive(payout_id: int) -> Response:
    let_arrive(get_payout(payout_id).payout_ref)
    settle_payout(payout_id)
    notify(_("TEST GATEWAY: the bank received it."))
    return redirect_to("staff.payouts.show", payout_id=payout_id)


@bp.post("/<int:payout_id>/failure")
@needs(Ability.RECONCILE)
def fail(payout_id: int) -> Response:
    let_fail(get_payout(payout_id).payout_ref)
    settle_payout(payout_id)
    notify(_("TEST GATEWAY: the bank sent it back."), "warning")
    return redirect_to("staff.payouts.show", payout_id=payout_id)


def _index(form: AccountForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/payouts/index.html", fragment="rows", status=status, form=form,
        page=find_payouts_kept(filters(PayoutFilter), page_request()),
        waiting=waiting_online(), is_test=has_test_gateway(),
        states=[(one.value, one.value.replace("_", " ").capitalize()) for one in PayoutState],
    )  # fmt: skip


def _account_form(sent: object) -> AccountForm:
    form = AccountForm(sent, obj=company(), account_id=payout_account().id)
    form.account_id.offer(bank_accounts(), words=lambda one: f"{one.number} {one.name}")
    return form
