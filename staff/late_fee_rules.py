"""What a payment term charges for being late, and the most a consumer of a state pays."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, IntegerField, SelectMultipleField, StringField
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from portal.access import Ability
from portal.company import today
from portal.customers import get_customer
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO
from portal.kernel.numbers import Rate
from portal.late_fees import (
    CHARGEABLE,
    FeeWords,
    end_exemption,
    exempt,
    exemption_of,
    limits,
    rule_of,
    rule_words,
    save_rule,
    set_limit,
)
from portal.models import Customer, FeeBase, FeeFrequency, FeeShape, LateFeeRule, PaymentTerm
from portal.terms import get_term
from portal.web import (
    ChoiceField,
    DayField,
    Form,
    MoneyField,
    PercentField,
    VersionField,
    needs,
    notify,
    redirect_to,
    render_page,
    words_of,
)

bp = Blueprint("late_fee_rules", __name__)


class RuleForm(Form):
    version = VersionField()
    active = BooleanField(later("This term charges late fees"))
    shape = ChoiceField(later("What"), FeeShape)
    flat = MoneyField(later("Flat amount, each time"), required=False)
    rate = PercentField(later("Rate, per year when charged daily or monthly"), required=False)
    frequency = ChoiceField(later("How often"), FeeFrequency)
    base = ChoiceField(later("Of what"), FeeBase)
    grace_days = IntegerField(later("Days of grace"), validators=[InputRequired()])
    cap = PercentField(later("All together at most, in % of the invoice"), required=False)
    applies_from = DayField(later("For invoices dated from"))
    kinds = SelectMultipleField(
        later("Kinds of invoices"),
        choices={one.value: words_of(one) for one in CHARGEABLE},
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )


class LimitForm(Form):
    region = StringField(later("State, empty for all others"))
    rate = PercentField(later("At most, per year"), required=False)


class ExemptForm(Form):
    because = StringField(later("No late fees, because"))


@bp.get("/payment-terms/<int:term_id>/late-fees")
@needs(Ability.EDIT_SETTINGS)
def show(term_id: int) -> Response:
    term = get_term(term_id)
    rule = rule_of(term)
    form = RuleForm(None, obj=rule) if rule else RuleForm(None, data=_begin_with())
    return _page(term, rule, form)


@bp.post("/payment-terms/<int:term_id>/late-fees")
@needs(Ability.EDIT_SETTINGS)
def save(term_id: int) -> Response:
    term, form = get_term(term_id), RuleForm()
    try:
        if form.is_sent():
            rule = save_rule(term, _words(form), version=form.version.data)
            notify(_("Saved: %(w)s.", w=rule_words(rule)))
            return redirect_to("staff.late_fee_rules.show", term_id=term.id)
    except DomainError as error:
        form.refuse(error)
    return _page(term, rule_of(term), form, status=422)


@bp.get("/late-fee-limits")
@needs(Ability.EDIT_SETTINGS)
def limits_page() -> Response:
    return _limits(LimitForm(formdata=None))


@bp.post("/late-fee-limits")
@needs(Ability.EDIT_SETTINGS)
def save_limit() -> Response:
    """Without a rate the state's limit is removed."""
    form = LimitForm()
    try:
        if form.is_sent():
            set_limit(form.region.data or "", form.rate.data)
            notify(_("Saved."))
            return redirect_to("staff.late_fee_rules.limits_page")
    except DomainError as error:
        form.refuse(error)
    return _limits(form, status=422)


@bp.get("/customers/<int:customer_id>/late-fees")
@needs(Ability.EDIT_CUSTOMERS)
def customer(customer_id: int) -> Response:
    one = get_customer(customer_id)
    return _exemption(one, ExemptForm(None, obj=exemption_of(one)))


@bp.post("/customers/<int:customer_id>/late-fees")
@needs(Ability.EDIT_CUSTOMERS)
def save_exemption(customer_id: int) -> Response:
    one, form = get_customer(customer_id), ExemptForm()
    try:
        if form.is_sent():
            _exempt(one, form.because.data or "")
            notify(_("Saved."))
            return redirect_to("staff.customers.show", customer_id=one.id)
    except DomainError as error:
        form.refuse(error)
    return _exemption(one, form, status=422)


def _exempt(one: Customer, because: str) -> None:
    if request.form.get("end"):
        end_exemption(one)
    else:
        exempt(one, because=because)


def _begin_with() -> dict[str, object]:
    """What a term without a rule is offered: on principal, after ten days, from today on."""
    return {
        "active": True, "shape": FeeShape.PERCENT, "frequency": FeeFrequency.MONTHLY,
        "base": FeeBase.PRINCIPAL, "grace_days": 10, "applies_from": today(),
        "kinds": [one.value for one in CHARGEABLE],
    }  # fmt: skip


def _words(form: RuleForm) -> FeeWords:
    return FeeWords(
        active=bool(form.active.data),
        shape=form.shape.data,
        flat=form.flat.data or ZERO,
        rate=form.rate.data or Rate(0),
        frequency=form.frequency.data,
        base=form.base.data,
        grace_days=form.grace_days.data or 0,
        kinds=tuple(form.kinds.data or ()),
        cap=form.cap.data or Rate(0),
        applies_from=form.applies_from.data or today(),
    )


def _page(
    term: PaymentTerm, rule: LateFeeRule | None, form: RuleForm, *, status: int = 200
) -> Response:
    return render_page(
        "staff/late_fees/rule.html", status=status, term=term, form=form,
        words=rule_words(rule) if rule else None,
    )  # fmt: skip


def _limits(form: LimitForm, *, status: int = 200) -> Response:
    return render_page("staff/late_fees/limits.html", status=status, form=form, limits=limits())


def _exemption(one: Customer, form: ExemptForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/late_fees/exemption.html", status=status, customer=one, form=form,
        exempt=exemption_of(one),
    )  # fmt: skip
