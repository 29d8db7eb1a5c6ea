"""Invoices: list, record, facts, posting, sending."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import ngettext
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
    hand_out_link,
    invoice_pdf,
    post_invoice,
    post_invoices,
    posting_problem,
    refresh_tax,
    review_invoice,
    revoke_pay_links,
    send_invoice,
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
from portal.payments import applications_to
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
    signed_in_user,
)
from staff.choices import chosen, customer_from, units
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
    return render_page(
        "staff/invoices/index.html",
        fragment="rows",
        page=find_invoices(wanted, page_request(), on=today(), total=count),
        total=total,
        balance=balance,
        axes=_axes(),
        today=today(),
    )


@bp.get("/new")
@needs(Ability.EDIT_INVOICES)
def new() -> Response:
    form = NewForm(request.args)
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


@bp.post("/<int:invoice_id>/posting")
@needs(Ability.POST_INVOICES)
def post(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    post_invoice(invoice, by=signed_in_user())
    notify(_("Posted as %(n)s.", n=invoice.number))
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


@bp.post("/postings")
@needs(Ability.POST_INVOICES)
def post_many() -> Response:
    """The bulk bar: all selected or none; the refused ones are named."""
    outcome = post_invoices(_ticked(), by=signed_in_user())
    if outcome.refused:
        words = "; ".join(f"{one.number}: {why}" for one, why in outcome.refused[:10])
        raise DomainError(_("Nothing was posted. %(why)s", why=words))
    done = len(outcome.done)
    notify(ngettext("One invoice was posted.", "%(num)s invoices were posted.", done))
    return redirect_to("staff.invoices.index", state="posted")


@bp.post("/sendings")
@needs(Ability.SEND_INVOICES)
def send_many() -> Response:
    """The bulk bar: send each selected invoice; one without an address is named, not lost."""
    refused, sent = [], 0
    for invoice_id in _ticked():
        invoice = get_invoice(invoice_id)
        try:
            if send_invoice(invoice):
                sent += 1
            else:
                refused.append(_("%(n)s was sent a moment ago.", n=invoice.number))
        except DomainError as error:
            refused.append(f"{invoice.number}: {error}")
    notify(ngettext("One invoice is on its way.", "%(num)s invoices are on their way.", sent))
    for sentence in refused[:10]:
        notify(sentence, "warning")
    return redirect_to("staff.invoices.index")


def _ticked() -> list[int]:
    ids = request.form.getlist("ids", type=int)
    if not ids:
        raise DomainError(_("Tick the invoices this is about first."))
    return ids


@bp.post("/<int:invoice_id>/sending")
@needs(Ability.SEND_INVOICES)
def send(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    count = send_invoice(invoice, to=request.form.get("to", "").replace(";", ",").split(","))
    notify(
        ngettext("One message is on its way.", "%(num)s messages are on their way.", count)
        if count
        else _("This was sent a moment ago.")
    )
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


@bp.post("/<int:invoice_id>/pay-links/revoke")
@needs(Ability.SEND_INVOICES)
def revoke_links(invoice_id: int) -> Response:
    revoke_pay_links(get_invoice(invoice_id))
    notify(_("Links sent so far no longer work. The next one you send will."))
    return redirect_to("staff.invoices.show", invoice_id=invoice_id)


@bp.post("/<int:invoice_id>/pay-link")
@needs(Ability.SEND_INVOICES)
def make_link(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    return page_of(invoice, pay_link=hand_out_link(invoice))


@bp.get("/<int:invoice_id>/invoice.pdf")
@needs(Ability.VIEW_INVOICES)
def pdf(invoice_id: int) -> Response:
    return pdf_response(invoice_pdf(invoice_id), f"{get_invoice(invoice_id).number}.pdf")


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
    form.term_id.offer({*active_terms(), *([invoice.term] if invoice.term else [])})
    form.location_id.offer(get_customer(invoice.customer_id).locations, words="one_line_address")
    form.tax_zone_id.offer({*active_zones(), *([invoice.tax_zone] if invoice.tax_zone else [])})
    form.business_unit_id.offer(units())
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
