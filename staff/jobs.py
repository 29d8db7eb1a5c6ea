"""Jobs: book, log, complete, cancel."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import StringField, TextAreaField

from portal.access import Ability
from portal.audit import trail_of
from portal.company import today
from portal.customers import get_customer
from portal.invoices import invoice_of_job
from portal.jobs import (
    JobFilter,
    JobWords,
    LogWords,
    add_estimate_line,
    add_log,
    add_note,
    book_job,
    cancel_job,
    change_job,
    complete_job,
    estimate_total,
    find_jobs,
    get_job,
    remove_log,
    reopen_job,
    start_job,
    technicians,
)
from portal.kernel.errors import DomainError, NotAllowed
from portal.kernel.numbers import UnitPrice
from portal.models import Job, JobState
from portal.pricebook import prices_of
from portal.web import (
    DayField,
    Form,
    IdField,
    OnceField,
    QuantityField,
    UnitPriceField,
    VersionField,
    filters,
    needs,
    notify,
    once,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
)
from staff.choices import customer_from, item_from, place_words, row_of, units

bp = Blueprint("jobs", __name__, url_prefix="/jobs")


class JobForm(Form):
    once = OnceField()
    version = VersionField()
    location_id = IdField("Where", empty=None)
    summary = TextAreaField("What is to be done", render_kw={"rows": 3})
    job_type = StringField("Kind of job")
    technician_id = IdField("Technician")
    business_unit_id = IdField("Business unit")
    scheduled_on = DayField("Scheduled for")
    purchase_order = StringField("Customer's order number")


class LogForm(Form):
    once = OnceField()
    item = StringField("Item or words", render_kw={"autocomplete": "off"})
    quantity = QuantityField("Quantity or hours")
    unit_price = UnitPriceField("Price", required=False)
    technician_id = IdField("Technician")


class ChooseCustomerForm(Form):
    customer = StringField("Customer")


@bp.get("")
@needs(Ability.VIEW_JOBS)
def index() -> Response:
    wanted = filters(JobFilter)
    if _sees_own_only():
        wanted = replace(wanted, technician_id=signed_in_user().id, customer_id=None)
    return render_page(
        "staff/jobs/index.html", fragment="rows", page=find_jobs(wanted, page_request()),
        states=[(one.value, one.value.replace("_", " ").capitalize()) for one in JobState],
        technicians=[(str(one.id), one.name) for one in technicians()],
    )  # fmt: skip


@bp.get("/new")
@needs(Ability.EDIT_JOBS)
def new() -> Response:
    _require_whole_list()
    customer_id = request.args.get("customer_id", type=int)
    if customer_id is None:
        return render_page("staff/jobs/choose.html", form=ChooseCustomerForm(formdata=None))
    form = _job_form(customer_id, None)
    form.scheduled_on.data = today()
    return render_page(
        "staff/jobs/form.html", form=form, customer=get_customer(customer_id), job=None
    )


@bp.post("/new")
@needs(Ability.EDIT_JOBS)
def choose() -> Response:
    _require_whole_list()
    form = ChooseCustomerForm()
    try:
        return redirect_to("staff.jobs.new", customer_id=customer_from(form).id)
    except DomainError as error:
        form.refuse(error)
    return render_page("staff/jobs/choose.html", status=422, form=form)


@bp.post("")
@needs(Ability.EDIT_JOBS)
def create() -> Response:
    _require_whole_list()
    customer = get_customer(request.args.get("customer_id", 0, type=int))
    form = _job_form(customer.id, request.form)
    try:
        if form.is_sent():
            return once(form, lambda: _book(customer.id, form))
    except DomainError as error:
        form.refuse(error)
    return render_page("staff/jobs/form.html", status=422, form=form, customer=customer, job=None)


def _book(customer_id: int, form: JobForm) -> Response:
    job = book_job(_words(customer_id, form))
    notify(_("Job %(n)s was booked and its invoice begun.", n=job.number))
    return redirect_to("staff.jobs.show", job_id=job.id)


@bp.get("/<int:job_id>")
@needs(Ability.VIEW_JOBS)
def show(job_id: int) -> Response:
    return _page(job_of(job_id))


@bp.get("/<int:job_id>/edit")
@needs(Ability.EDIT_JOBS)
def edit(job_id: int) -> Response:
    job = job_of(job_id)
    form = _job_form(job.customer_id, None, job)
    return render_page("staff/jobs/form.html", form=form, customer=job.customer, job=job)


@bp.post("/<int:job_id>/edit")
@needs(Ability.EDIT_JOBS)
def save(job_id: int) -> Response:
    job = job_of(job_id)
    form = _job_form(job.customer_id, request.form, job)
    try:
        if form.is_sent():
            change_job(job, _words(job.customer_id, form), version=form.version.data)
            return redirect_to("staff.jobs.show", job_id=job.id)
    except DomainError as error:
        form.refuse(error)
    return render_page(
        "staff/jobs/form.html", status=422, form=form, customer=job.customer, job=job
    )


@bp.post("/<int:job_id>/logs")
@needs(Ability.EDIT_JOBS)
def log(job_id: int) -> Response:
    job = job_of(job_id)
    form = _log_form(job, request.form)
    try:
        if form.is_sent():
            return once(form, lambda: _log(job, form))
    except DomainError as error:
        form.refuse(error)
    return _page(job, log_form=form, status=422)


def _log(job: Job, form: LogForm) -> Response:
    add = add_estimate_line if request.form.get("to") == "estimate" else add_log
    add(job, _log_words(form))
    return redirect_to("staff.jobs.show", job_id=job.id)


@bp.post("/<int:job_id>/logs/<int:log_id>/removal")
@needs(Ability.EDIT_JOBS)
def unlog(job_id: int, log_id: int) -> Response:
    job = job_of(job_id)
    remove_log(job, row_of(job.logs, log_id))
    return redirect_to("staff.jobs.show", job_id=job.id)


@bp.post("/<int:job_id>/notes")
@needs(Ability.EDIT_JOBS)
def note(job_id: int) -> Response:
    add_note(job_of(job_id), request.form.get("text", "")[:5000], author=signed_in_user())
    return redirect_to("staff.jobs.show", job_id=job_id)


@bp.post("/<int:job_id>/start")
@needs(Ability.EDIT_JOBS)
def start(job_id: int) -> Response:
    start_job(job_of(job_id))
    return redirect_to("staff.jobs.show", job_id=job_id)


@bp.post("/<int:job_id>/completion")
@needs(Ability.EDIT_JOBS)
def complete(job_id: int) -> Response:
    job = job_of(job_id)
    complete_job(job)
    if job.logs:
        notify(_("Job %(n)s is done; its invoice is filled and waits for review.", n=job.number))
    else:
        words = _("Job %(n)s is done, and nothing was logged: its invoice is empty.", n=job.number)
        notify(words, "warning")
    return redirect_to("staff.jobs.show", job_id=job_id)


@bp.post("/<int:job_id>/reopening")
@needs(Ability.EDIT_JOBS)
def reopen(job_id: int) -> Response:
    job = job_of(job_id)
    reopen_job(job)
    notify(_("Job %(n)s is open again; completing it writes its invoice anew.", n=job.number))
    return redirect_to("staff.jobs.show", job_id=job_id)


@bp.post("/<int:job_id>/cancellation")
@needs(Ability.EDIT_JOBS)
def cancel(job_id: int) -> Response:
    cancel_job(job_of(job_id), because=request.form.get("because", ""))
    return redirect_to("staff.jobs.show", job_id=job_id)


def job_of(job_id: int) -> Job:
    """The job, unless the person is a technician and it is another's: then it does not exist."""
    job = get_job(job_id)
    if _sees_own_only():
        return row_of([job] if job.technician_id == signed_in_user().id else [], job_id)
    return job


def _sees_own_only() -> bool:
    return Ability.VIEW_CUSTOMERS not in signed_in_user().role.abilities


def _require_whole_list() -> None:
    """Booking chooses among all customers, whom a technician does not see."""
    if _sees_own_only():
        raise NotAllowed(_("The office books jobs; you see those that are yours."))


def _page(job: Job, *, log_form: LogForm | None = None, status: int = 200) -> Response:
    return render_page(
        "staff/jobs/show.html", status=status, job=job,
        log_form=log_form or _log_form(job, None), invoice=invoice_of_job(job),
        estimate=estimate_total(job), trail=trail_of(job), prices=_prices(job),
    )  # fmt: skip


def _prices(job: Job) -> dict[int, UnitPrice]:
    """What each log entry costs the customer per unit: as logged, agreed, or in the price book."""
    agreed = {one.item_id: one.unit_price for one in prices_of(job.customer)}
    prices = {}
    for log in job.logs:
        booked = agreed.get(log.item.id, log.item.unit_price) if log.item else UnitPrice(0)
        prices[log.id] = booked if log.unit_price is None else log.unit_price
    return prices


def _job_form(customer_id: int, sent: object, job: Job | None = None) -> JobForm:
    form = JobForm(sent, obj=job)
    places = [one for one in get_customer(customer_id).locations if one.active]
    form.location_id.offer(places, words=place_words, also=job.location if job else None)
    form.technician_id.offer(technicians(), also=job.technician if job else None)
    form.business_unit_id.offer(units(), also=job.business_unit if job else None)
    return form


def _words(customer_id: int, form: JobForm) -> JobWords:
    return JobWords(
        location=row_of(get_customer(customer_id).locations, form.location_id.data),
        summary=form.summary.data or "",
        job_type=form.job_type.data or "",
        business_unit_id=form.business_unit_id.data,
        technician_id=form.technician_id.data,
        scheduled_on=form.scheduled_on.data,
        purchase_order=form.purchase_order.data or "",
    )


def _log_form(job: Job, sent: object) -> LogForm:
    form = LogForm(sent)
    form.technician_id.offer(technicians(), also=job.technician)
    if sent is None:
        form.technician_id.data = job.technician_id
    return form


def _log_words(form: LogForm) -> LogWords:
    item = item_from(form)
    typed = (form.item.data or "").strip()
    return LogWords(
        quantity=form.quantity.data,
        item=item,
        description="" if item and typed.startswith(item.code) else typed,
        unit_price=form.unit_price.data,
        technician_id=form.technician_id.data,
    )
