"""Rules by which invoices are sent without anybody pressing."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.kernel.errors import DomainError
from portal.models import AutoSendRule, SendingMoment
from portal.sendings import RuleWords, add_rule, change_rule, get_rule, rules
from portal.web import (
    ChoiceField,
    Form,
    IdField,
    VersionField,
    needs,
    notify,
    redirect_to,
    render_page,
)
from staff.choices import units

bp = Blueprint("auto_send_rules", __name__, url_prefix="/sending-rules")


class RuleForm(Form):
    version = VersionField()
    name = StringField("Name")
    moment = ChoiceField("Sent at", SendingMoment)
    job_type = StringField("Only for the job type")
    business_unit_id = IdField("Only for the business unit", empty="Every business unit")
    active = BooleanField("In use", default=True)


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def index() -> Response:
    return render_page("staff/auto_send_rules/index.html", rules=rules())


@bp.get("/new")
@needs(Ability.EDIT_SETTINGS)
def new() -> Response:
    return _page(None, _form(None, None))


@bp.post("")
@needs(Ability.EDIT_SETTINGS)
def create() -> Response:
    form = _form(None, request.form)
    try:
        if form.is_sent():
            add_rule(_words(form))
            notify(_("Added. It counts from now on."))
            return redirect_to("staff.auto_send_rules.index")
    except DomainError as error:
        form.refuse(error)
    return _page(None, form, status=422)


@bp.get("/<int:rule_id>")
@needs(Ability.EDIT_SETTINGS)
def show(rule_id: int) -> Response:
    rule = get_rule(rule_id)
    return _page(rule, _form(rule, None))


@bp.post("/<int:rule_id>")
@needs(Ability.EDIT_SETTINGS)
def save(rule_id: int) -> Response:
    rule = get_rule(rule_id)
    form = _form(rule, request.form)
    try:
        if form.is_sent():
            change_rule(rule, _words(form), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.auto_send_rules.index")
    except DomainError as error:
        form.refuse(error)
    return _page(rule, form, status=422)


def _form(rule: AutoSendRule | None, sent: object) -> RuleForm:
    form = RuleForm(sent, obj=rule)
    form.business_unit_id.offer(units(), also=rule.business_unit if rule else None)
    return form


def _words(form: RuleForm) -> RuleWords:
    return RuleWords(
        name=form.name.data or "",
        moment=form.moment.data,
        job_type=form.job_type.data or "",
        business_unit_id=form.business_unit_id.data,
        active=bool(form.active.data),
    )


def _page(rule: AutoSendRule | None, form: RuleForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/auto_send_rules/form.html", status=status, rule=rule, form=form,
        trail=trail_of(rule) if rule else [],
    )  # fmt: skip
