"""When statements are sent by themselves, and how long a customer is left in peace."""

from __future__ import annotations

from dataclasses import fields

from flask import Blueprint, Response
from flask_babel import gettext as _
from wtforms import BooleanField, IntegerField

from portal.access import Ability
from portal.kernel.errors import DomainError
from portal.models import StatementKind, StatementWay
from portal.statements import MonthlyWords, change_settings, statement_settings
from portal.web import (
    ChoiceField,
    Form,
    MoneyField,
    VersionField,
    needs,
    notify,
    redirect_to,
    render_page,
)

bp = Blueprint("statement_settings", __name__, url_prefix="/statement-settings")


class SettingsForm(Form):
    version = VersionField()
    monthly = BooleanField("Send statements every month by itself")
    day_of_month = IntegerField("On this day of the month", render_kw={"min": 1, "max": 31})
    kind = ChoiceField("Kind", StatementKind)
    way = ChoiceField("Sent by", StatementWay)
    least = MoneyField("Only to who owes at least")
    weeks_between = IntegerField("Weeks between two statements", render_kw={"min": 0, "max": 52})
    with_copies = BooleanField("Append copies of the open invoices")
    credit_only = BooleanField("Also to customers who have only credit")


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def show() -> Response:
    form = SettingsForm(None, obj=statement_settings())
    return render_page("staff/statements/settings.html", form=form)


@bp.post("")
@needs(Ability.EDIT_SETTINGS)
def save() -> Response:
    form = SettingsForm(obj=statement_settings())
    try:
        if form.is_sent():
            change_settings(_words(form), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.statement_settings.show")
    except DomainError as error:
        form.refuse(error)
    return render_page("staff/statements/settings.html", status=422, form=form)


def _words(form: SettingsForm) -> MonthlyWords:
    return MonthlyWords(**{one.name: form[one.name].data for one in fields(MonthlyWords)})
