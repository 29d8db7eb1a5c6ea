"""Batches: the list, one batch with its members, its workbook, taking members out."""

from __future__ import annotations

from flask import Blueprint, Response, request, send_file
from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms import StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.batches import (
    BatchFilter,
    Progress,
    count_bypassed,
    count_unbatched,
    find_batches,
    get_batch,
    invoices_in,
    last_unposting,
    payments_in,
    print_runs_of,
    progress_of,
    progress_of_unposting,
    refusals_of,
    refused_members,
    remove_invoices,
    remove_payments,
    rename_batch,
    start_batch,
    sums_by_kind,
    sums_of,
    warnings_of,
    workbook_of,
)
from portal.kernel.errors import DomainError
from portal.models import Batch, BatchState, UnpostState
from portal.web import (
    Form,
    OnceField,
    VersionField,
    filters,
    may,
    needs,
    notify,
    once,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
)
from staff.batch_filling import ticked_members

bp = Blueprint("batches", __name__, url_prefix="/batches")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class BatchForm(Form):
    once = OnceField()
    version = VersionField()
    name = StringField("Name")


@bp.get("")
@needs(Ability.VIEW_INVOICES)
def index() -> Response:
    return _index(BatchForm(formdata=None))


@bp.post("")
@needs(Ability.BATCH_INVOICES)
def create() -> Response:
    form = BatchForm()
    try:
        if form.is_sent():
            return once(form, lambda: _begin(form))
    except DomainError as error:
        form.refuse(error)
    return _index(form, status=422)


@bp.get("/<int:batch_id>")
@needs(Ability.VIEW_INVOICES)
def show(batch_id: int) -> Response:
    batch = get_batch(batch_id)
    return page_of(batch, BatchForm(None, obj=batch))


@bp.post("/<int:batch_id>")
@needs(Ability.BATCH_INVOICES)
def rename(batch_id: int) -> Response:
    batch = get_batch(batch_id)
    form = BatchForm(request.form, obj=batch)
    try:
        if form.is_sent():
            rename_batch(batch, form.name.data or "", version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.batches.show", batch_id=batch.id)
    except DomainError as error:
        form.refuse(error)
    return page_of(batch, form, status=422)


@bp.get("/<int:batch_id>/progress")
@needs(Ability.VIEW_INVOICES)
def progress(batch_id: int) -> Response:
    """The card that asks again each second; when the posting is over, the page is loaded anew."""
    batch = get_batch(batch_id)
    under_way = _progress(batch)
    page = render_page(
        "staff/batches/progress.html", batch=batch, progress=under_way or progress_of(batch)
    )
    if under_way is None:
        page.headers["HX-Refresh"] = "true"
    return page


@bp.get("/<int:batch_id>/batch.xlsx")
@needs(Ability.VIEW_INVOICES)
def workbook(batch_id: int) -> Response:
    batch = get_batch(batch_id)
    file = workbook_of(batch, with_payments=may(Ability.VIEW_PAYMENTS))
    name = f"{batch.number}.xlsx"
    return send_file(file, mimetype=XLSX, as_attachment=True, download_name=name)


@bp.post("/<int:batch_id>/removals")
@needs(Ability.BATCH_INVOICES)
def remove(batch_id: int) -> Response:
    batch = get_batch(batch_id)
    invoices, payments = ticked_members()
    left = remove_invoices(batch, invoices) + remove_payments(batch, payments)
    notify(ngettext("One was taken out.", "%(num)s were taken out.", left))
    return redirect_to("staff.batches.show", batch_id=batch.id)


def page_of(batch: Batch, form: BatchForm, *, status: int = 200) -> Response:
    """The record page."""
    invoices = invoices_in(batch, page_request())
    refusals = refusals_of(batch, page_request(size=20, name="refusals_page"))
    pending = batch.state is BatchState.PENDING
    return render_page(
        "staff/batches/show.html",
        status=status,
        batch=batch,
        form=form,
        invoices=invoices,
        payments=payments_in(batch, page_request(name="payments_page")),
        sums=sums_by_kind(batch),
        held=sums_of([batch.id])[batch.id],
        bypassed=count_bypassed(batch),
        warnings=warnings_of([one.id for one in invoices.rows]) if pending else {},
        refusals=refusals,
        refused=refused_members(refusals.rows),
        progress=_progress(batch),
        unposting=last_unposting(batch),
        print_runs=print_runs_of(batch),
        trail=trail_of(batch),
    )


def _progress(batch: Batch) -> Progress | None:
    """How far the worker is with it, posting or unposting; None when it is at rest."""
    if batch.state is BatchState.POSTING:
        return progress_of(batch)
    last = last_unposting(batch)
    waits = last is not None and last.state is UnpostState.WAITING
    return progress_of_unposting(last) if last is not None and waits else None


def _index(form: BatchForm, *, status: int = 200) -> Response:
    page = find_batches(filters(BatchFilter), page_request())
    return render_page(
        "staff/batches/index.html", fragment="rows", status=status, page=page, form=form,
        sums=sums_of([one.id for one in page.rows]), counts=count_unbatched(),
        states=[(one.value, one.value.capitalize()) for one in BatchState],
    )  # fmt: skip


def _begin(form: BatchForm) -> Response:
    batch = start_batch(form.name.data or "", by=signed_in_user())
    notify(_("Batch %(n)s was begun. Put invoices or payments in.", n=batch.number))
    return redirect_to("staff.batches.show", batch_id=batch.id)
