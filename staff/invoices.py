"""Invoices: list, record, facts."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import StringField, TextAreaField

from portal.access import Ability
from portal.audit import trail_of
from portal.company import today
from portal.customers import get_customer
from portal.invoices import (
    DueState,
    InvoiceFacts,
    InvoiceFilter,
    ManualInvoice,
    billing_addresses,
    cancel_invoice,
    change_invoice,
    change_summary,
    find_invoices,
    get_invoice,
    invoice_pdf,
    pdf_name,
    posting_problem,
    refresh_tax,
    review_invoice,
    start_manual_invoice,
    sum_of_invoices,
    tax_is_stale,
)
from portal.kernel.errors import Conflict, DomainError
from portal.ledger import entries_of
from portal.models import (
    Invoice,
    InvoiceKind,
    InvoiceState,
    PaidState,
    ReviewState,
    SentState,
)
from portal.payment_collection import live_attempts_on
from portal.payments import applications_to, apply_credit, credit_of, disputed_invoices
from portal.taxes import active_zones
from portal.terms import active_terms
from portal.web import (
    DayField,
    Form,
    IdField,
    OnceField,
    VersionField,
    filters,
    needs,
    notify,
    once,
    page_request,
    pdf_response,
    redirect_to,
    render_page,
)
from staff.choices import chosen, customer_from, place_words, units
from staff.line_form import LineForm

bp = Blueprint("invoices", __name__, url_prefix="/invoices")


class FactsForm(Form):
    version = VersionField()
    reference_number = StringField("Reference number")
    invoice_date = DayField("Invoice date")
    term_id = IdField("Payment term", empty=None)
    location_id = IdField("Work done at", empty="No location")
    tax_zone_id = IdField("Tax zone", empty="No sales tax")
    business_unit_id = IdField("Business unit")
    purchase_order = StringField("Customer's order number")
    summary = TextAreaField("What was done", render_kw={"rows": 4})


class NewForm(Form):
    once = OnceField()
    customer = StringField("Customer")
    invoice_date = DayField("Invoice date")
    purchase_order = StringField("Customer's order number")
    summary = TextAreaField("What was done", render_kw={"rows": 3})


@bp.get("")
@needs(Ability.VIEW_INVOICES)
def index() -> Response:
    wanted = filters(InvoiceFilter)
    count, total, balance = sum_of_invoices(wanted, on=today())
    page = find_invoices(wanted, page_request(), on=today(), total=count)
    return render_page(
        "staff/invoices/index.html",
        fragment="rows",
        page=page,
        total=total,
        balance=balance,
        disputed=disputed_invoices([one.id for one in page.rows]),
        customer=get_customer(wanted.customer_id) if wanted.customer_id else None,
        axes=_axes(),
        today=today(),
    )


@bp.get("/new")
@needs(Ability.EDIT_INVOICES)
def new() -> Response:
    form = NewForm(request.args)
    customer_id = request.args.get("customer_id", type=int)
    if customer_id and not form.customer.data:
        form.customer.data = get_customer(customer_id).name
    form.invoice_date.data = form.invoice_date.data or today()
    return render_page("staff/invoices/new.html", form=form)


@bp.post("")
@needs(Ability.EDIT_INVOICES)
def create() -> Response:
    form = NewForm()
    try:
        if form.is_sent():
            return once(form, lambda: _begin(form))
    except DomainError as error:
        form.refuse(error)
    return render_page("staff/invoices/new.html", status=422, form=form)


def _begin(form: NewForm) -> Response:
    customer = customer_from(form)
    places = [place for place in customer.locations if place.active]
    invoice = start_manual_invoice(
        ManualInvoice(
            customer=customer,
            location=places[0] if len(places) == 1 else None,
            invoice_date=form.invoice_date.data,
            summary=form.summary.data or "",
            purchase_order=form.purchase_order.data or "",
        )
    )
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


@bp.get("/<int:invoice_id>")
@needs(Ability.VIEW_INVOICES)
def show(invoice_id: int) -> Response:
    return page_of(get_invoice(invoice_id))


@bp.get("/<int:invoice_id>/facts")
@needs(Ability.EDIT_INVOICES)
def edit_facts(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    return _facts_page(invoice, _facts_form(invoice, None))


@bp.post("/<int:invoice_id>/facts")
@needs(Ability.EDIT_INVOICES)
def save_facts(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    form = _facts_form(invoice, request.form)
    try:
        if form.is_sent():
            change_invoice(invoice, _facts(invoice, form), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.invoices.show", invoice_id=invoice.id)
    except DomainError as error:
        form.refuse(error)
    return _facts_page(invoice, form, status=422)


@bp.post("/<int:invoice_id>/summary")
@needs(Ability.EDIT_INVOICES)
def save_summary(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    typed = request.form.get("summary", "")
    try:
        change_summary(invoice, typed, version=request.form.get("version", 0, type=int))
    except Conflict as error:
        return page_of(invoice, status=409, summary=typed, refused=str(error))
    notify(_("Saved."))
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


@bp.post("/<int:invoice_id>/review/<state>")
@needs(Ability.EDIT_INVOICES)
def review(invoice_id: int, state: str) -> Response:
    invoice = get_invoice(invoice_id)
    review_invoice(invoice, chosen(ReviewState, state))
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


@bp.post("/<int:invoice_id>/tax")
@needs(Ability.EDIT_INVOICES)
def refresh(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    refresh_tax(invoice)
    notify(_("The sales tax was computed anew."))
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


@bp.post("/<int:invoice_id>/cancellation")
@needs(Ability.EDIT_INVOICES)
def cancel(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    if invoice.kind is InvoiceKind.JOB:
        raise DomainError(_("This invoice belongs to a job. Cancel the job instead."))
    cancel_invoice(invoice, because=request.form.get("because", "").strip() or _("no reason given"))
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


@bp.post("/<int:invoice_id>/credit")
@needs(Ability.TAKE_PAYMENTS)
def use_credit(invoice_id: int) -> Response:
    used = apply_credit(get_invoice(invoice_id), on=today())
    if used:
        notify(_("%(a)s of the customer's credit were used for this invoice.", a=str(used)))
    else:
        notify(_("There was no credit left to use."), "warning")
    return redirect_to("staff.invoices.show", invoice_id=invoice_id)


@bp.get("/<int:invoice_id>/invoice.pdf")
@needs(Ability.VIEW_INVOICES)
def pdf(invoice_id: int) -> Response:
    return pdf_response(invoice_pdf(invoice_id), pdf_name(get_invoice(invoice_id)))


def page_of(
    invoice: Invoice,
    *,
    line_form: object = None,
    status: int = 200,
    pay_link: str = "",
    summary: str | None = None,
    refused: str = "",
) -> Response:
    """The record page, or its body when htmx changes a line.

    `summary` is what was typed and `refused` why it was not saved.
    """
    return render_page(
        "staff/invoices/show.html",
        fragment="record",
        status=status,
        invoice=invoice,
        problem=posting_problem(invoice) if invoice.is_editable else None,
        stale_tax=invoice.is_editable and tax_is_stale(invoice),
        applications=applications_to(invoice.id),
        disputed=bool(disputed_invoices([invoice.id])),
        credit=credit_of(invoice.customer_id),
        attempts=live_attempts_on([invoice.id]),
        addresses=billing_addresses(invoice),
        entries=entries_of(invoice),
        trail=trail_of(invoice),
        review_states=list(ReviewState),
        line_form=line_form or LineForm(formdata=None),
        pay_link=pay_link,
        summary=invoice.summary if summary is None else summary,
        refused=refused,
        on=today(),
    )


def _axes() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Every status axis as a filter."""
    axes = (
        ("state", _("Posting"), InvoiceState),
        ("review", _("Review"), ReviewState),
        ("sent", _("Sent"), SentState),
        ("paid", _("Paid"), PaidState),
        ("due", _("Due"), DueState),
        ("kind", _("Kind"), InvoiceKind),
    )
    return [
        (name, label, [(one.value, one.value.replace("_", " ").capitalize()) for one in enum])
        for name, label, enum in axes
    ]


def _facts_form(invoice: Invoice, sent: object) -> FactsForm:
    form = FactsForm(sent, obj=invoice)
    form.term_id.offer(active_terms(), also=invoice.term)
    form.location_id.offer(get_customer(invoice.customer_id).locations, words=place_words)
    form.tax_zone_id.offer(active_zones(), also=invoice.tax_zone)
    form.business_unit_id.offer(units(), also=invoice.business_unit)
    return form


def _facts(invoice: Invoice, form: FactsForm) -> InvoiceFacts:
    def row(rows: object, wanted: int | None) -> object:
        return next((one for one in rows if one.id == wanted), None)  # type: ignore[attr-defined]

    places = get_customer(invoice.customer_id).locations
    terms = [*active_terms(), *([invoice.term] if invoice.term else [])]
    zones = [*active_zones(), *([invoice.tax_zone] if invoice.tax_zone else [])]
    return InvoiceFacts(
        reference_number=(form.reference_number.data or "").strip(),
        invoice_date=form.invoice_date.data,
        term=row(terms, form.term_id.data),  # type: ignore[arg-type]
        location=row(places, form.location_id.data),  # type: ignore[arg-type]
        tax_zone=row(zones, form.tax_zone_id.data),  # type: ignore[arg-type]
        business_unit_id=form.business_unit_id.data,
        summary=form.summary.data or "",
        purchase_order=form.purchase_order.data or "",
    )


def _facts_page(invoice: Invoice, form: FactsForm, *, status: int = 200) -> Response:
    return render_page("staff/invoices/facts.html", status=status, invoice=invoice, form=form)
