"""Asking to pay in parts: the invoices of one customer at a time."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import TextAreaField

from customer.mine import me
from portal.invoices import customer_open_invoices
from portal.kernel.errors import DomainError
from portal.models import Customer, Invoice, PlanRhythm
from portal.payment_plans import ask_for_plan, choices_for
from portal.web import (
    ChoiceField,
    Form,
    OnceField,
    notify,
    once,
    payers_only,
    redirect_to,
    render_page,
)

bp = Blueprint("plan_wishes", __name__, url_prefix="/plans")


class AskForm(Form):
    once = OnceField()
    rhythm = ChoiceField(later("How often would you like to pay?"), PlanRhythm,
                         default=PlanRhythm.MONTHLY)  # fmt: skip
    note = TextAreaField(later("Anything we should know?"), render_kw={"rows": 3})


@bp.get("/new")
@payers_only
def new() -> Response:
    """All that can be put on a plan is ticked at first."""
    _who, free = _chosen(who_may_ask())
    return _page(AskForm(formdata=None), [one.id for one in free])


@bp.post("")
@payers_only
def ask() -> Response:
    form = AskForm()
    try:
        if form.is_sent():
            return once(form, lambda: _ask(form))
    except DomainError as error:
        form.refuse(error)
    return _page(form, _ticked(), status=422)


def who_may_ask() -> list[tuple[Customer, list[Invoice]]]:
    """The customers I may pay for with what could be put on a plan, by name."""
    invoices = customer_open_invoices(me().customer_ids)
    payers = {one.customer_id: one.customer for one in invoices if me().may_pay(one.customer_id)}
    found = [
        (who, [one.invoice for one in choices_for(who) if not one.problem])
        for who in sorted(payers.values(), key=lambda one: one.name)
    ]
    return [(who, free) for who, free in found if free]


def _chosen(
    known: Sequence[tuple[Customer, list[Invoice]]],
) -> tuple[Customer | None, list[Invoice]]:
    """The one asked for in the address or the form, else the first; None without any."""
    wanted = request.values.get("customer_id", type=int)
    first = known[0] if known else (None, [])
    return next(((who, free) for who, free in known if who.id == wanted), first)


def _ask(form: AskForm) -> Response:
    who, free = _chosen(who_may_ask())
    invoices = [one for one in free if one.id in _ticked()]
    if who is None or not invoices:
        raise DomainError(_("Tick at least one invoice."))
    plan = ask_for_plan(who, invoices, rhythm=form.rhythm.data,
                        asked_by=me().email, note=form.note.data or "")  # fmt: skip
    notify(_("We got your wish and will answer by mail."))
    return redirect_to("customer.plans.show", plan_id=plan.id)


def _page(form: AskForm, ticked: list[int], *, status: int = 200) -> Response:
    known = who_may_ask()
    who, free = _chosen(known)
    return render_page(
        "customer/plans/ask.html", status=status, form=form, customer=who, invoices=free,
        customers=[one for one, _free in known], ticked=ticked,
    )  # fmt: skip


def _ticked() -> list[int]:
    return request.form.getlist("ids", type=int)
