"""Customers: list, record, form, lookup, prices."""

from __future__ import annotations

from dataclasses import fields

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import BooleanField, StringField, TextAreaField

from portal.access import Ability
from portal.company import today
from portal.customers import (
    CustomerFilter,
    CustomerWords,
    add_customer,
    change_customer,
    customer_types,
    find_customers,
    get_customer,
    search_customers,
)
from portal.invoices import InvoiceFilter, find_invoices
from portal.kernel.errors import DomainError, NeedsConfirmation
from portal.models import Customer, Delivery
from portal.outbox import bounced_addresses
from portal.payment_collection import autopay_of, methods_of
from portal.payment_plans import plans_of
from portal.payments import PaymentFilter, credit_of, find_payments
from portal.pricebook import prices_of
from portal.receivables import aging_of_customer
from portal.reports import customer_timeline
from portal.statements import statements_of
from portal.terms import active_terms
from portal.web import (
    ChoiceField,
    DayField,
    Form,
    IdField,
    OnceField,
    PageRequest,
    UnitPriceField,
    VersionField,
    filters,
    needs,
    notify,
    once,
    page_request,
    redirect_to,
    render_page,
)
from staff.customer_timeline import links_of

bp = Blueprint("customers", __name__, url_prefix="/customers")


LANGUAGES = {"en": "English", "es": "Español", "fr": "Français"}


class CustomerForm(Form):
    once = OnceField()
    version = VersionField()
    name = StringField("Name")
    email = StringField("Email", render_kw={"type": "email"})
    phone = StringField("Phone", render_kw={"type": "tel"})
    street = StringField("Street")
    unit = StringField("Unit")
    city = StringField("City")
    region = StringField("State")
    postal_code = StringField("ZIP")
    country = StringField("Country", default="US", render_kw={"maxlength": 2})
    customer_type_id = IdField("Type")
    term_id = IdField("Payment term", empty="The company's default")
    delivery = ChoiceField("Documents by", Delivery)
    language = IdField("Language", empty=None)
    cc_emails = StringField("Copies of every invoice mail to (CC)")
    auto_send = BooleanField("May be sent invoices by rule", default=True)
    tags = StringField("Tags, separated by commas")
    notes = TextAreaField("Notes", render_kw={"rows": 3})
    tax_exempt = BooleanField("Exempt from sales tax")
    exemption_certificate = StringField("Exemption certificate")
    exemption_expires_on = DayField("Certificate expires")
    vat_id = StringField("VAT ID")
    electronic_invoice = BooleanField("PDFs carry electronic invoices (Factur-X, EN 16931)")
    active = BooleanField("Active", default=True)


class PriceForm(Form):
    item = StringField("Item", render_kw={"autocomplete": "off"})
    unit_price = UnitPriceField("Agreed price")


@bp.get("")
@needs(Ability.VIEW_CUSTOMERS)
def index() -> Response:
    return render_page(
        "staff/customers/index.html", fragment="rows",
        page=find_customers(filters(CustomerFilter), page_request()),
        types=[(str(one.id), one.name) for one in customer_types()],
    )  # fmt: skip


@bp.get("/lookup")
@needs(Ability.VIEW_CUSTOMERS)
def lookup() -> Response:
    text = request.args.get("customer", "").strip()
    found = search_customers(text, limit=10) if text else []
    return render_page("staff/customers/lookup.html", found=found)


@bp.get("/new")
@needs(Ability.EDIT_CUSTOMERS)
def new() -> Response:
    return render_page("staff/customers/form.html", form=_form(None), customer=None)


@bp.post("")
@needs(Ability.EDIT_CUSTOMERS)
def create() -> Response:
    form = _form(request.form)
    try:
        if form.is_sent():
            return once(form, lambda: _add(form), never_alike=True)
    except DomainError as error:
        form.refuse(error)
    return render_page("staff/customers/form.html", status=422, form=form, customer=None)


def _add(form: CustomerForm) -> Response:
    customer = add_customer(_words(form), tags=(form.tags.data or "").split(","))
    return redirect_to("staff.customers.show", customer_id=customer.id)


@bp.get("/<int:customer_id>")
@needs(Ability.VIEW_CUSTOMERS)
def show(customer_id: int) -> Response:
    return page_of(get_customer(customer_id))


@bp.get("/<int:customer_id>/edit")
@needs(Ability.EDIT_CUSTOMERS)
def edit(customer_id: int) -> Response:
    customer = get_customer(customer_id)
    form = _form(None, customer)
    return render_page("staff/customers/form.html", form=form, customer=customer)


@bp.post("/<int:customer_id>/edit")
@needs(Ability.EDIT_CUSTOMERS)
def save(customer_id: int) -> Response:
    customer = get_customer(customer_id)
    form = _form(request.form, customer)
    question = None
    try:
        if form.is_sent():
            change_customer(
                customer, _words(form), version=form.version.data,
                tags=(form.tags.data or "").split(","),
                confirmed=request.form.getlist("confirmed"),
            )  # fmt: skip
            notify(_("Saved."))
            return redirect_to("staff.customers.show", customer_id=customer.id)
    except NeedsConfirmation as error:
        question = error
    except DomainError as error:
        form.refuse(error)
    return render_page(
        "staff/customers/form.html", status=422, form=form, customer=customer, question=question
    )


def page_of(
    customer: Customer, *, price_form: PriceForm | None = None, status: int = 200
) -> Response:
    """The record page of a customer."""
    latest = PageRequest(size=10)
    trail = customer_timeline(customer.id, PageRequest(size=20))
    return render_page(
        "staff/customers/show.html",
        status=status,
        customer=customer,
        invoices=find_invoices(InvoiceFilter(customer_id=customer.id), latest, on=today()),
        payments=find_payments(PaymentFilter(customer_id=customer.id), latest),
        credit=credit_of(customer.id),
        aging=aging_of_customer(customer.id, on=today()),
        prices=prices_of(customer),
        bounced=bounced_addresses([customer.id]),
        autopay=autopay_of(customer.id),
        methods=methods_of(customer),
        plans=plans_of([customer.id], limit=5),
        statements=statements_of([customer.id], limit=5),
        price_form=price_form or PriceForm(formdata=None),
        trail=trail,
        links=links_of(trail.rows),
        languages=LANGUAGES,
        today=today(),
    )


def _form(sent: object, customer: Customer | None = None) -> CustomerForm:
    form = CustomerForm(sent, obj=customer)
    form.customer_type_id.offer(customer_types(), also=customer.customer_type if customer else None)
    form.term_id.offer(active_terms(), also=customer.term if customer else None)
    form.language.coerce = str
    form.language.choices = list(LANGUAGES.items())
    form.tags.object_data = ", ".join(tag.tag for tag in customer.tags) if customer else ""
    if not isinstance(form.tags.data, str):
        form.tags.data = form.tags.object_data
    if sent is None:
        form.language.data = customer.language if customer else "en"
    else:
        form.language.data = request.form.get("language", "en")
    return form


def _words(form: CustomerForm) -> CustomerWords:
    data = form.data
    return CustomerWords(
        **{one.name: data[one.name] for one in fields(CustomerWords) if one.name in data}
    )
