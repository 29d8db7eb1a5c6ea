"""Which invoices somebody else has to agree to before they are posted."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.invoices import (
    ApprovalWords,
    add_rule,
    change_rule,
    conditions_of,
    find_rules,
    get_rule,
    job_types,
)
from portal.kernel.errors import DomainError
from portal.models import ApprovalRule
from portal.web import (
    Form,
    MoneyField,
    VersionField,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
)
from staff.choices import customer_from

bp = Blueprint("approval_rules", __name__, url_prefix="/approval-rules")


class RuleForm(Form):
    version = VersionField()
    name = StringField("Name")
    over = MoneyField("When the total is over", required=False)
    customer = StringField("… and the customer is", render_kw={"autocomplete": "off"})
    job_type = StringField("… and the job is of type", render_kw={"list": "job-types"})
    active = BooleanField("In force", default=True)


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def index() -> Response:
    page = find_rules(request.args.get("q", ""), page_request())
    return render_page(
        "staff/approval_rules/index.html", fragment="rows", page=page, conditions_of=conditions_of
    )


@bp.get("/new")
@needs(Ability.EDIT_SETTINGS)
def new() -> Response:
    return _page(None, RuleForm(formdata=None))


@bp.post("")
@needs(Ability.EDIT_SETTINGS)
def create() -> Response:
    form = RuleForm()
    try:
        if form.is_sent():
            add_rule(_words(form))
            notify(_("Added."))
            return redirect_to("staff.approval_rules.index")
    except DomainError as error:
        form.refuse(error)
    return _page(None, form, status=422)


@bp.get("/<int:rule_id>")
@needs(Ability.EDIT_SETTINGS)
def show(rule_id: int) -> Response:
    rule = get_rule(rule_id)
    return _page(rule, RuleForm(None, data=_as_typed(rule)))


@bp.post("/<int:rule_id>")
@needs(Ability.EDIT_SETTINGS)
def save(rule_id: int) -> Response:
    rule = get_rule(rule_id)
    form = RuleForm(request.form, data=_as_typed(rule))
    try:
        if form.is_sent():
            change_rule(rule, _words(form), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.approval_rules.index")
    except DomainError as error:
        form.refuse(error)
    return _page(rule, form, status=422)


def _words(form: RuleForm) -> ApprovalWords:
    typed = (form.customer.data or "").strip()
    return ApprovalWords(
        name=form.name.data or "",
        over=form.over.data,
        customer=customer_from(form) if typed else None,
        job_type=form.job_type.data or "",
        active=bool(form.active.data),
    )


def _as_typed(rule: ApprovalRule) -> dict[str, object]:
    return {
        "version": rule.version,
        "name": rule.name,
        "over": rule.over,
        "customer": rule.customer.name if rule.customer else "",
        "job_type": rule.job_type,
        "active": rule.active,
    }


def _page(rule: ApprovalRule | None, form: RuleForm, *, status: int = 200) -> Response:
    picked = str(rule.customer_id or "") if rule else ""
    return render_page(
        "staff/approval_rules/form.html", status=status, rule=rule, form=form,
        job_types=job_types(), picked=request.form.get("customer_id", picked),
        trail=trail_of(rule) if rule else [],
    )  # fmt: skip
