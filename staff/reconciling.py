"""What the processor moved that our books do not agree with: movements and differences."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms import StringField

from portal.access import Ability
from portal.kernel.errors import DomainError
from portal.models import DifferenceKind, GatewayDifference, MovementKind
from portal.payment_collection import (
    DifferenceFilter,
    MovementFilter,
    book_as_fees,
    compare_with_gateway,
    explain,
    find_differences,
    find_movements,
    get_difference,
    look_at_movement,
    record_now,
    waiting_online,
)
from portal.web import (
    Form,
    filters,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
)

bp = Blueprint("reconciling", __name__, url_prefix="/online-payments")


class ExplanationForm(Form):
    because = StringField("Why is this right as it is?")


@bp.get("/movements")
@needs(Ability.RECONCILE)
def movements() -> Response:
    return render_page(
        "staff/reconciling/movements.html", fragment="rows", waiting=waiting_online(),
        page=find_movements(filters(MovementFilter), page_request()),
        kinds=[(one.value, one.value.replace("_", " ").capitalize()) for one in MovementKind],
    )  # fmt: skip


@bp.post("/movements/<int:movement_id>/look")
@needs(Ability.RECONCILE)
def look_at(movement_id: int) -> Response:
    problem = look_at_movement(movement_id)
    notify(problem or _("It matches now."), "warning" if problem else "success")
    return redirect_to("staff.reconciling.movements")


@bp.post("/movements/<int:movement_id>/fees")
@needs(Ability.RECONCILE)
def book(movement_id: int) -> Response:
    book_as_fees(movement_id)
    notify(_("Booked as processing fees."))
    return redirect_to("staff.reconciling.movements")


@bp.get("/differences")
@needs(Ability.RECONCILE)
def differences() -> Response:
    return render_page(
        "staff/reconciling/differences.html", fragment="rows", waiting=waiting_online(),
        page=find_differences(filters(DifferenceFilter), page_request()),
        kinds=[(one.value, one.value.replace("_", " ").capitalize()) for one in DifferenceKind],
    )  # fmt: skip


@bp.post("/differences/comparison")
@needs(Ability.RECONCILE)
def compare() -> Response:
    count = compare_with_gateway()
    words = ngettext("One difference is open.", "%(num)s differences are open.", count)
    notify(words if count else _("Both lists agree."), "warning" if count else "success")
    return redirect_to("staff.reconciling.differences")


@bp.post("/differences/<int:difference_id>/recording")
@needs(Ability.RECONCILE)
def record(difference_id: int) -> Response:
    agrees = record_now(difference_id)
    words = _("The money is recorded.") if agrees else _("The lists still do not agree.")
    notify(words, "success" if agrees else "warning")
    return redirect_to("staff.reconciling.differences")


@bp.get("/differences/<int:difference_id>/explanation")
@needs(Ability.RECONCILE)
def ask_why(difference_id: int) -> Response:
    return _explanation(get_difference(difference_id), ExplanationForm(formdata=None))


@bp.post("/differences/<int:difference_id>/explanation")
@needs(Ability.RECONCILE)
def say_why(difference_id: int) -> Response:
    row, form = get_difference(difference_id), ExplanationForm(request.form)
    try:
        if form.is_sent():
            explain(row.id, by=signed_in_user().name, because=form.because.data or "")
            notify(_("Explained; it is not told again."))
            return redirect_to("staff.reconciling.differences")
    except DomainError as error:
        form.refuse(error)
    return _explanation(row, form, status=422)


def _explanation(row: GatewayDifference, form: ExplanationForm, *, status: int = 200) -> Response:
    return render_page("staff/reconciling/explanation.html", status=status, row=row, form=form)
