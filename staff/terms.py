"""Payment terms."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired

from portal.access import Ability
from portal.audit import trail_of
from portal.company import company, format_rate
from portal.kernel.errors import DomainError
from portal.models import DueKind, PaymentTerm
from portal.terms import (
    TermWords,
    add_term,
    change_term,
    find_terms,
    get_term,
    is_in_use,
    make_default,
)
from portal.web import (
    ChoiceField,
    Form,
    PercentField,
    VersionField,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
)

bp = Blueprint("terms", __name__, url_prefix="/payment-terms")


class TermForm(Form):
    version = VersionField()
    name = StringField("Name (customers see it)")
    due_kind = ChoiceField("Due", DueKind)
    due_day = IntegerField("Days, or day of the month", default=0, validators=[InputRequired()])
    discount_rate = PercentField("Discount for paying early, %", required=False)
    discount_days = IntegerField("… when paid within this many days", default=0)
    active = BooleanField("Offered for new invoices", default=True)


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def index() -> Response:
    page = find_terms(request.args.get("q", ""), page_request())
    return render_page(
        "staff/terms/index.html", fragment="rows", page=page,
        default_id=company().default_term_id,
        due_words=due_words, discount_words=discount_words,
    )  # fmt: skip


@bp.get("/new")
@needs(Ability.EDIT_SETTINGS)
def new() -> Response:
    return _page(None, TermForm(formdata=None))


@bp.post("")
@needs(Ability.EDIT_SETTINGS)
def create() -> Response:
    form = TermForm()
    try:
        if form.is_sent():
            add_term(_words(form))
            notify(_("Added."))
            return redirect_to("staff.terms.index")
    except DomainError as error:
        form.refuse(error)
    return _page(None, form, status=422)


@bp.get("/<int:term_id>")
@needs(Ability.EDIT_SETTINGS)
def show(term_id: int) -> Response:
    term = get_term(term_id)
    return _page(term, TermForm(None, obj=term))


@bp.post("/<int:term_id>")
@needs(Ability.EDIT_SETTINGS)
def save(term_id: int) -> Response:
    term = get_term(term_id)
    form = TermForm(request.form, obj=term)
    try:
        if form.is_sent():
            change_term(term, _words(form), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.terms.index")
    except DomainError as error:
        form.refuse(error)
    return _page(term, form, status=422)


@bp.post("/<int:term_id>/default")
@needs(Ability.EDIT_SETTINGS)
def choose(term_id: int) -> Response:
    make_default(get_term(term_id))
    notify(_("New invoices get this term unless the customer has another."))
    return redirect_to("staff.terms.index")


def due_words(term: PaymentTerm) -> str:
    """When an invoice of this term is due."""
    match term.due_kind:
        case DueKind.DAYS_AFTER if term.due_day == 0:
            return str(_("on receipt"))
        case DueKind.DAYS_AFTER:
            return str(ngettext("one day after", "%(num)s days after", term.due_day))
        case DueKind.END_OF_MONTH:
            return str(_("at the end of the month"))
        case DueKind.DAY_OF_NEXT_MONTH:
            return str(_("on day %(d)s of the next month", d=term.due_day))
        case DueKind.DAY_OF_THIS_MONTH:
            return str(_("on day %(d)s of the month", d=term.due_day))


def discount_words(term: PaymentTerm) -> str:
    """What paying early is worth; empty without a discount."""
    if not term.discount_rate:
        return ""
    rate = format_rate(term.discount_rate.value, company().locale)
    return str(_("%(r)s within %(d)s days", r=rate, d=term.discount_days))


def _words(form: TermForm) -> TermWords:
    return TermWords(
        name=form.name.data or "",
        due_kind=form.due_kind.data,
        due_day=form.due_day.data or 0,
        discount_rate=form.discount_rate.data or TermWords.discount_rate,
        discount_days=form.discount_days.data or 0,
        active=bool(form.active.data),
    )


def _page(term: PaymentTerm | None, form: TermForm, *, status: int = 200) -> Response:
    used = term is not None and is_in_use(term)
    return render_page(
        "staff/terms/form.html", status=status, term=term, form=form, used=used,
        trail=trail_of(term) if term else [],
    )  # fmt: skip
