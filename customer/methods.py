"""My payment methods: save one, make it the primary one, remove it; what I agreed to."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from flask_babel import gettext as _

from customer.mine import me, my_method, paying_customer, paying_customers
from portal.company import today
from portal.kernel.errors import DomainError, NotFound
from portal.models import ConsentKind, Customer
from portal.payment_collection import (
    ConsentGiven,
    SetupWanted,
    has_gateway,
    keeping_words,
    make_primary,
    methods_of,
    needs_of,
    removal_problem,
    remove_method,
    seal_of,
    settle_setup,
    setup_by_public_id,
    start_setup,
    successor_of,
    why_not,
)
from portal.web import notify, payers_only, redirect_to, render_page

MOST_TURNS = 20  # three seconds each

bp = Blueprint("methods", __name__, url_prefix="/payment-methods")


@bp.get("")
@payers_only
def index() -> Response:
    return render_page(
        "customer/methods/index.html",
        wallets=[(one, methods_of(one)) for one in paying_customers()],
        can_save=has_gateway(), why_not=why_not, needs_of=needs_of, today=today(),
    )  # fmt: skip


@bp.get("/new")
@payers_only
def new() -> Response:
    return _consent_page(paying_customer(request.args.get("customer_id", 0, type=int)))


@bp.post("")
@payers_only
def create() -> Response:
    """To the gateway's page, if the words on the page were the ones that are kept."""
    customer = paying_customer(request.form.get("customer_id", 0, type=int))
    text = keeping_words(me().language)
    if request.form.get("agreed") != seal_of(text):
        return _consent_page(customer, error=_("Tick that you agree to go on."), status=422)
    try:
        return redirect(start_setup(_wanted(customer, text)), 303)  # type: ignore[return-value]
    except DomainError as error:
        again = paying_customer(request.form.get("customer_id", 0, type=int))
        return _consent_page(again, error=str(error), status=422)


@bp.get("/back/<public_id>")
@payers_only
def come_back(public_id: str) -> Response:
    """The truth as far as anybody knows it now; fetched, not taken from the address."""
    setup = setup_by_public_id(public_id)
    if setup is None or setup.customer_id not in me().customer_ids:
        raise NotFound(_("There is nothing here, or it is not yours to see."))
    settle_setup(setup.id)
    turn = request.args.get("turn", 0, type=int)
    here = url_for("customer.methods.come_back", public_id=public_id)
    return render_page(
        "customer/methods/back.html", fragment="outcome", setup=setup_by_public_id(public_id),
        here=here, again=f"{here}?turn={turn + 1}" if turn < MOST_TURNS else "",
    )  # fmt: skip


@bp.post("/<int:method_id>/primary")
@payers_only
def choose(method_id: int) -> Response:
    method = make_primary(my_method(method_id).customer_id, method_id)
    notify(_("%(m)s is your primary payment method now.", m=method.label))
    return redirect_to("customer.methods.index")


@bp.get("/<int:method_id>/removal")
@payers_only
def ask_to_remove(method_id: int) -> Response:
    method = my_method(method_id)
    return render_page(
        "customer/methods/removal.html", method=method, problem=removal_problem(method),
        needs=needs_of(method), successor=successor_of(method),
    )  # fmt: skip


@bp.post("/<int:method_id>/removal")
@payers_only
def remove(method_id: int) -> Response:
    method = my_method(method_id)
    label = method.label
    remove_method(method.customer_id, method_id)
    notify(_("%(m)s was removed.", m=label))
    return redirect_to("customer.methods.index")


def _wanted(customer: Customer, text: str) -> SetupWanted:
    given = ConsentGiven(
        customer=customer,
        kind=ConsentKind.SAVE_METHOD,
        text=text,
        language=me().language,
        given_by=f"{me().name} <{me().email}>",
        address=request.remote_addr or "",
        agent=request.user_agent.string,
    )
    return SetupWanted(
        consent=given,
        return_path="/my/payment-methods/back/",
        email=me().email,
        make_primary=request.form.get("primary") == "yes",
    )


def _consent_page(customer: Customer, *, error: str = "", status: int = 200) -> Response:
    text = keeping_words(me().language)
    return render_page(
        "customer/methods/new.html", status=status, customer=customer, text=text,
        seal=seal_of(text), has_others=bool(methods_of(customer)), error=error,
        several=len(paying_customers()) > 1, can_save=has_gateway(),
    )  # fmt: skip
