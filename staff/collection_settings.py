"""The rules of payment collection: notice, retries, refunds, payment plans."""

from __future__ import annotations

from dataclasses import fields

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired

from portal.access import Ability
from portal.audit import trail_of
from portal.kernel.errors import DomainError
from portal.payment_collection import RuleWords, change_rules, collection_rules
from portal.web import (
    Form,
    MoneyField,
    VersionField,
    needs,
    notify,
    redirect_to,
    render_page,
    signed_in_user,
)

bp = Blueprint("collection_settings", __name__, url_prefix="/settings/collection")


class RulesForm(Form):
    version = VersionField()
    notice_days = IntegerField(later("Days of notice before autopay charges"),
                               validators=[InputRequired()])  # fmt: skip
    retry_days = StringField(later("Tried again so many days after each failure"))
    refund_limit = MoneyField(later("A refund above this needs a second person"), required=False)
    plan_most_payments = IntegerField(later("Payments of a plan, at most"),
                                      validators=[InputRequired()])  # fmt: skip
    plan_longest_days = IntegerField(later("A plan lasts at most, in days"),
                                     validators=[InputRequired()])  # fmt: skip
    plan_least_amount = MoneyField(later("Least amount of one payment"), required=False)
    plan_grace_days = IntegerField(later("Days of grace after a missed payment"),
                                   validators=[InputRequired()])  # fmt: skip
    lawful_process = BooleanField(
        later("We have a lawful process for plans with more than four payments or a fee")
    )


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def show() -> Response:
    return _page(RulesForm(None, obj=collection_rules()))


@bp.post("")
@needs(Ability.EDIT_SETTINGS)
def save() -> Response:
    form = RulesForm(request.form, obj=collection_rules())
    try:
        if form.is_sent():
            change_rules(_words(form), version=form.version.data, by=signed_in_user())
            notify(_("Saved."))
            return redirect_to("staff.collection_settings.show")
    except DomainError as error:
        form.refuse(error)
    return _page(form, status=422)


def _words(form: RulesForm) -> RuleWords:
    return RuleWords(**{one.name: form.data[one.name] for one in fields(RuleWords)})


def _page(form: RulesForm, *, status: int = 200) -> Response:
    rules = collection_rules()
    return render_page(
        "staff/collection_settings/show.html", status=status, form=form, rules=rules,
        trail=trail_of(rules),
    )  # fmt: skip
