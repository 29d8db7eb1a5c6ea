"""A customer's saved payment methods: the consent behind each, and a link to save one."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext as _

from portal.access import Ability
from portal.company import today
from portal.customers import get_customer
from portal.models import Customer, SavedMethod
from portal.outbox import mail_is_kept
from portal.payment_collection import (
    all_methods_of,
    gateway,
    has_gateway,
    mail_way_to_save,
    make_primary,
    method_of,
    needs_of,
    removal_problem,
    remove_method,
    successor_of,
    why_not,
)
from portal.web import Form, OnceField, needs, notify, once, redirect_to, render_page

bp = Blueprint("saved_methods", __name__, url_prefix="/customers/<int:customer_id>/payment-methods")


class LinkForm(Form):
    once = OnceField()


@bp.get("")
@needs(Ability.VIEW_CUSTOMERS)
def index(customer_id: int) -> Response:
    customer = get_customer(customer_id)
    return render_page(
        "staff/saved_methods/index.html", customer=customer, methods=all_methods_of(customer),
        form=LinkForm(formdata=None), why_not=why_not, needs_of=needs_of, today=today(),
        is_test=has_gateway() and gateway().name == "test", has_gateway=has_gateway(),
    )  # fmt: skip


@bp.post("/link")
@needs(Ability.CHARGE_METHODS)
def mail_link(customer_id: int) -> Response:
    customer, form = get_customer(customer_id), LinkForm()
    return once(form, lambda: _mail_link(customer, form))


@bp.post("/<int:method_id>/primary")
@needs(Ability.CHARGE_METHODS)
def choose(customer_id: int, method_id: int) -> Response:
    method = make_primary(get_customer(customer_id).id, method_id)
    notify(_("%(m)s is the primary payment method now.", m=method.label))
    return redirect_to("staff.saved_methods.index", customer_id=customer_id)


@bp.get("/<int:method_id>/removal")
@needs(Ability.CHARGE_METHODS)
def ask_to_remove(customer_id: int, method_id: int) -> Response:
    method = _method(customer_id, method_id)
    return render_page(
        "staff/saved_methods/removal.html", method=method, problem=removal_problem(method),
        needs=needs_of(method), successor=successor_of(method),
    )  # fmt: skip


@bp.post("/<int:method_id>/removal")
@needs(Ability.CHARGE_METHODS)
def remove(customer_id: int, method_id: int) -> Response:
    label = _method(customer_id, method_id).label
    remove_method(customer_id, method_id)
    notify(_("%(m)s was removed.", m=label))
    return redirect_to("staff.saved_methods.index", customer_id=customer_id)


def _mail_link(customer: Customer, form: LinkForm) -> Response:
    address = mail_way_to_save(customer, once=str(form["once"].data))
    if mail_is_kept():
        notify(
            _("The link for %(a)s is kept in the outbox: nothing is sent.", a=address), "warning"
        )
    else:
        notify(_("A link is mailed to %(a)s.", a=address))
    return redirect_to("staff.saved_methods.index", customer_id=customer.id)


def _method(customer_id: int, method_id: int) -> SavedMethod:
    return method_of(get_customer(customer_id).id, method_id)
