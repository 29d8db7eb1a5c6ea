"""Contacts of a customer: whom to write to, and who signs in to the portal."""

from __future__ import annotations

from dataclasses import fields

from flask import Blueprint, Response, request
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.customers import ContactWords, add_contact, change_contact, get_customer
from portal.kernel.errors import DomainError
from portal.models import BillingAccess, Contact, Customer
from portal.web import ChoiceField, Form, VersionField, needs, redirect_to, render_page
from staff.choices import row_of

bp = Blueprint("contacts", __name__, url_prefix="/customers/<int:customer_id>/contacts")


class ContactForm(Form):
    version = VersionField()
    name = StringField("Name")
    email = StringField("Email", render_kw={"type": "email"})
    phone = StringField("Phone", render_kw={"type": "tel"})
    is_mobile = BooleanField("This is a mobile phone")
    billing_access = ChoiceField("In the customer portal", BillingAccess)
    active = BooleanField("Active", default=True)


@bp.get("/new")
@needs(Ability.EDIT_CUSTOMERS)
def new(customer_id: int) -> Response:
    form = ContactForm(formdata=None)
    form.billing_access.data = BillingAccess.PAY
    return _page(get_customer(customer_id), None, form)


@bp.post("")
@needs(Ability.EDIT_CUSTOMERS)
def create(customer_id: int) -> Response:
    customer = get_customer(customer_id)
    form = ContactForm()
    try:
        if form.is_sent():
            add_contact(customer, _words(form))
            return redirect_to("staff.customers.show", customer_id=customer.id)
    except DomainError as error:
        form.refuse(error)
    return _page(customer, None, form, status=422)


@bp.get("/<int:contact_id>")
@needs(Ability.EDIT_CUSTOMERS)
def edit(customer_id: int, contact_id: int) -> Response:
    customer = get_customer(customer_id)
    contact = row_of(customer.contacts, contact_id)
    return _page(customer, contact, ContactForm(None, obj=contact))


@bp.post("/<int:contact_id>")
@needs(Ability.EDIT_CUSTOMERS)
def save(customer_id: int, contact_id: int) -> Response:
    customer = get_customer(customer_id)
    contact = row_of(customer.contacts, contact_id)
    form = ContactForm(request.form, obj=contact)
    try:
        if form.is_sent():
            change_contact(contact, _words(form), version=form.version.data)
            return redirect_to("staff.customers.show", customer_id=customer.id)
    except DomainError as error:
        form.refuse(error)
    return _page(customer, contact, form, status=422)


def _words(form: ContactForm) -> ContactWords:
    data = form.data
    return ContactWords(
        **{one.name: data[one.name] for one in fields(ContactWords) if one.name in data}
    )


def _page(
    customer: Customer, contact: Contact | None, form: ContactForm, *, status: int = 200
) -> Response:
    return render_page(
        "staff/customers/contact.html", status=status, customer=customer, contact=contact,
        form=form,
    )  # fmt: skip
