"""Settings: whether reminders go out by themselves, and the limits nobody may go beyond."""

from __future__ import annotations

from dataclasses import fields

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired

from portal.access import Ability
from portal.audit import trail_of
from portal.dunning import DunningWords, change_rules, dunning_rules
from portal.kernel.errors import DomainError
from portal.web import (
    Form,
    VersionField,
    needs,
    notify,
    redirect_to,
    render_page,
    signed_in_user,
)

bp = Blueprint("collection_limits", __name__, url_prefix="/settings/collections/rules")


def _number(label: str) -> IntegerField:
    return IntegerField(later(label), validators=[InputRequired()])


class LimitsForm(Form):
    version = VersionField()
    reminders_on = BooleanField(later("Reminders go out by themselves"))
    days_between = _number("Days between two reminders, at least")
    promise_grace_days = _number("Days of grace after a promised day")
    sees_assigned_only = BooleanField(later("Collectors see only the cases assigned to them"))
    control_percent = _number("Control group, percent of new cases")
    control_days = _number("Days the control group is left alone")
    most_attempts = _number("Attempts at most")
    attempt_days = _number("within so many days")
    rest_days = _number("Days of rest after a conversation")
    first_hour = _number("From this hour")
    last_hour = _number("until this hour")
    counts_email = BooleanField(later("Emails count as attempts, too"))
    looser_because = StringField(later("Why looser limits are lawful here"))


@bp.get("")
@needs(Ability.MANAGE_COLLECTIONS)
def show() -> Response:
    return _page(LimitsForm(None, obj=dunning_rules()))


@bp.post("")
@needs(Ability.MANAGE_COLLECTIONS)
def save() -> Response:
    form = LimitsForm(request.form, obj=dunning_rules())
    try:
        if form.is_sent():
            words = DunningWords(**{one.name: form.data[one.name] for one in fields(DunningWords)})
            change_rules(words, version=form.version.data, by=signed_in_user())
            notify(_("Saved."))
            return redirect_to("staff.collection_limits.show")
    except DomainError as error:
        form.refuse(error)
    return _page(form, status=422)


def _page(form: LimitsForm, *, status: int = 200) -> Response:
    rules = dunning_rules()
    return render_page(
        "staff/collections/limits.html", status=status, form=form, rules=rules,
        trail=trail_of(rules),
    )  # fmt: skip
