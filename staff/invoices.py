"""Invoices: list, record, facts."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import StringField, TextAreaField

from portal.access import Ability
from portal.audit import mark_of, trail_of
from portal.company import today
from portal.customers import get_customer
from portal.invoices import (
    BATCHED,
    UNBATCHED,
    DueState,
    InvoiceFacts,
    InvoiceFilter,
    ManualInvoice,
    billing_addresses,
    cancel_invoice,
    change_invoice,
    change_summary,
    family_of,
    financings_of,
    find_invoices,
    get_invoice,
    invoice_pdf,
    invoice_types,
    live_plans_of,
    pdf_name,
    plans_in_good_standing,
    posting_problem,
    recent_batches,
    refresh_tax,
    start_manual_invoice,
    sum_of_invoices,
)
from portal.kernel.errors import Conflict, DomainError, InvalidFields
from portal.ledger import closed_days, entries_about, journal_of
from portal.models import (
    AuditEntry,
    Invoice,
    InvoiceKind,
    InvoiceState,
    PaidState,
    PeriodState,
    ReviewState,
    SentAxis,
    SyncState,
)
from portal.payment_collection import charge_of_invoice, live_attempts_on, on_its_way
from portal.payments import (
    applications_to,
    apply_credit,
    credit_given_by,
    disputed_invoices,
    free_credit_of,
    has_money,
    refunds_about,
)
from portal.sendings import bounced_message
from portal.taxes import active_zones
from portal.terms import active_terms
from portal.web import (
    DayField,
    Form,
    IdField,
    OnceField,
    VersionField,
    filters,
    may,
    needs,
    notify,
    once,
    page_request,
    pdf_response,
    redirect_to,
    render_page,
    words_of,
)
from staff.choices import customer_from, place_words, row_if_any, units
from staff.correction_menu import ways_to_correct
from staff.invoice_actions import further_actions
from staff.line_form import LineForm
from staff.meanwhile import meanwhile
from staff.review_card import review_words

bp = Blueprint("invoices", __name__, url_prefix="/invoices")


class FactsForm(Form):
    version = VersionField()
    reference_number = StringField("Reference number")
    invoice_date = DayField("Invoice date")
    term_id = IdField("Payment term", empty=None)
    location_id = IdField("Work done at", empty="No location")
    tax_zone_id = IdField("Tax zone", empty="No sales tax")
    business_unit_id = IdField("Business unit")
    type_id = IdField("Invoice type")
    purchase_order = StringField("Customer's order number")
    summary = TextAreaField("What was done", render_kw={"rows": 4})


class NewForm(Form):
    once = OnceField()
    customer = StringField("Customer")
    invoice_date = DayField("Invoice date")
    type_id = IdField("Invoice type")
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
        types=[(str(one.id), one.name) for one in invoice_types(all_of_them=True)],
        closed=closed_days(),
        today=today(),
    )


@bp.get("/new")
@needs(Ability.EDIT_INVOICES)
def new() -> Response:
    form = _new_form(request.args)
    customer_id = request.args.get("customer_id", type=int)
    if customer_id and not form.customer.data:
        form.customer.data = get_customer(customer_id).name
    form.invoice_date.data = form.invoice_date.data or today()
    return render_page("staff/invoices/new.html", form=form)


@bp.post("")
@needs(Ability.EDIT_INVOICES)
def create() -> Response:
    form = _new_form(request.form)
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
            type=row_if_any(invoice_types(), form.type_id.data),
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
        return _facts_page(invoice, form, status=422, changed=meanwhile(invoice, error))
    return _facts_page(invoice, form, status=422)


@bp.post("/<int:invoice_id>/summary")
@needs(Ability.EDIT_INVOICES)
def save_summary(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    typed = request.form.get("summary", "")
    try:
        change_summary(invoice, typed, version=request.form.get("version", 0, type=int))
    except Conflict as error:
        return page_of(
            invoice, status=409, summary=typed, refused=str(error),
            changed=meanwhile(invoice, error),
        )  # fmt: skip
    notify(_("Saved."))
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
    **words: object,
) -> Response:
    """The record page, or its body when htmx changes a line.

    `summary` is what was typed and `refused` why it was not saved; more `words` replace those
    of `review_words`.
    """
    applications = applications_to(invoice.id)
    return render_page(
        "staff/invoices/show.html",
        fragment="record",
        status=status,
        invoice=invoice,
        problem=posting_problem(invoice) if invoice.is_editable else None,
        applications=applications,
        disputed=bool(disputed_invoices([invoice.id])),
        plan=live_plans_of([invoice.id]).get(invoice.id),
        plan_kept_to=bool(plans_in_good_standing([invoice.id], on=today())),
        credit=free_credit_of(invoice.customer_id),
        refunds=refunds_about(invoice.id),
        refundable=may(Ability.REFUND_PAYMENTS) and has_money(applications),
        attempts=live_attempts_on([invoice.id]),
        way=on_its_way([invoice.id]).get(invoice.id),
        charge=charge_of_invoice(invoice.id),
        addresses=billing_addresses(invoice),
        actions=further_actions(invoice),
        financings=financings_of(invoice),
        bounced=bounced_message(invoice),
        journal=journal_of(entries_about(invoice)),
        family=family_of(invoice),
        gave=credit_given_by(invoice),
        corrections=ways_to_correct(invoice),
        trail=trail_of(invoice),
        line_form=line_form or LineForm(formdata=None),
        pay_link=pay_link,
        summary=invoice.summary if summary is None else summary,
        refused=refused,
        on=today(),
        **(review_words(invoice) | words),
    )


def _axes() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Every status axis as a filter."""
    axes = (
        ("state", _("Posting"), InvoiceState),
        ("review", _("Review"), ReviewState),
        ("sent", _("Sent"), SentAxis),
        ("paid", _("Paid"), PaidState),
        ("due", _("Due"), DueState),
        ("kind", _("Kind"), InvoiceKind),
        ("period", _("Period"), PeriodState),
        ("sync", _("Sync"), SyncState),
    )
    chosen = [
        (name, label, [(one.value, words_of(one)) for one in enum]) for name, label, enum in axes
    ]
    batches = [(UNBATCHED, _("Unbatched")), (BATCHED, _("Batched"))]
    numbers = recent_batches()
    asked = request.args.get("batch", "")
    if asked not in ("", UNBATCHED, BATCHED, *numbers):
        numbers.append(asked)  # an older one that a link led to
    batches += [(number, _("Batch %(n)s", n=number)) for number in numbers]
    chosen.append(("batch", _("Batch"), batches))
    if request.args.get("in_hand"):  # offered only where a link asked for it
        chosen.append(("in_hand", _("At the customer"), [("yes", _("yes")), ("no", _("no"))]))
    return chosen


def _new_form(sent: object) -> NewForm:
    form = NewForm(sent)
    form.type_id.offer(invoice_types())
    return form


def _facts_form(invoice: Invoice, sent: object) -> FactsForm:
    form = FactsForm(sent, obj=invoice)
    form.term_id.offer(active_terms(), also=invoice.term)
    form.location_id.offer(get_customer(invoice.customer_id).locations, words=place_words)
    form.tax_zone_id.offer(active_zones(), also=invoice.tax_zone)
    form.business_unit_id.offer(units(), also=invoice.business_unit)
    form.type_id.offer(invoice_types(), also=invoice.type)
    return form


def _facts(invoice: Invoice, form: FactsForm) -> InvoiceFacts:
    terms = [*active_terms(), *([invoice.term] if invoice.term else [])]
    zones = [*active_zones(), *([invoice.tax_zone] if invoice.tax_zone else [])]
    term = row_if_any(terms, form.term_id.data)
    if term is None:
        raise InvalidFields({"term_id": _("Choose a payment term.")})
    return InvoiceFacts(
        reference_number=(form.reference_number.data or "").strip(),
        invoice_date=form.invoice_date.data,
        term=term,
        location=row_if_any(get_customer(invoice.customer_id).locations, form.location_id.data),
        tax_zone=row_if_any(zones, form.tax_zone_id.data),
        business_unit_id=form.business_unit_id.data,
        summary=form.summary.data or "",
        purchase_order=form.purchase_order.data or "",
        type=row_if_any(invoice_types(all_of_them=True), form.type_id.data),
    )


def _facts_page(
    invoice: Invoice,
    form: FactsForm,
    *,
    status: int = 200,
    changed: Sequence[AuditEntry] = (),
) -> Response:
    return render_page(
        "staff/invoices/facts.html", status=status, invoice=invoice, form=form, changed=changed,
        trail_mark=mark_of(invoice),
    )  # fmt: skip
