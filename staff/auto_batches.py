"""Settings: the rules that batch what is ready each hour."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.batches import RuleWords, add_rule, change_rule, find_rules, get_rule
from portal.company import business_units
from portal.kernel.errors import DomainError
from portal.models import AutoBatchRule, BatchSubject
from portal.web import (
    ChoiceField,
    Form,
    IdField,
    VersionField,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
)

bp = Blueprint("auto_batches", __name__, url_prefix="/batching-rules")


class RuleForm(Form):
    version = VersionField()
    name = StringField("Name (its batches carry it)")
    subject = ChoiceField("What it puts into batches", BatchSubject)
    business_unit_id = IdField("Only invoices of this business unit", empty="Every business unit")
    only_reviewed = BooleanField("Only invoices that were reviewed", default=True)
    posts = BooleanField("Post the batch at once")
    active = BooleanField("In use", default=True)


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def index() -> Response:
    page = find_rules(page_request())
    return render_page("staff/auto_batches/index.html", fragment="rows", page=page)


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
            notify(_("Added."))
            return redirect_to("staff.auto_batches.index")
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
            return redirect_to("staff.auto_batches.index")
    except DomainError as error:
        form.refuse(error)
    return _page(rule, form, status=422)


def _form(rule: AutoBatchRule | None, sent: object) -> RuleForm:
    form = RuleForm(sent, obj=rule)
    units = {one.id: one for one in business_units(all_of_them=True)}
    has = units.get(rule.business_unit_id or 0) if rule else None
    form.business_unit_id.offer(business_units(), also=has)
    return form


def _words(form: RuleForm) -> RuleWords:
    return RuleWords(
        name=form.name.data or "",
        subject=form.subject.data,
        business_unit_id=form.business_unit_id.data,
        only_reviewed=form.only_reviewed.data,
        posts=form.posts.data,
        active=form.active.data,
    )


def _page(rule: AutoBatchRule | None, form: RuleForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/auto_batches/form.html", status=status, rule=rule, form=form,
        trail=trail_of(rule) if rule else [],
    )  # fmt: skip
