"""Every component on one page, so that nobody builds a second one."""

from __future__ import annotations

from flask import Blueprint, Response
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.company import format_money
from portal.kernel.money import Money
from portal.models import InvoiceState, JobState, MessageState, PaidState, ReviewState, SentAxis
from portal.reports import bar_chart
from portal.web import DayField, Form, MoneyField, needs, render_page

bp = Blueprint("style_guide", __name__, url_prefix="/style-guide")

ENUMS = (InvoiceState, ReviewState, SentAxis, PaidState, JobState, MessageState)


class SampleForm(Form):
    words = StringField("Words")
    amount = MoneyField("Amount")
    day = DayField("Day")
    yes = BooleanField("Yes or no")
    item = StringField("Item")


@bp.get("")
@needs(Ability.OWN_ACCOUNT)
def show() -> Response:
    form = SampleForm(formdata=None)
    form.amount.errors = ["Give an amount such as 12.50."]
    chart = bar_chart(
        ["a", "b", "c"], [1, 3, 2], title="Sample",
        say=lambda value: format_money(Money.of(str(value)), "en_US"),
    )  # fmt: skip
    states = [state for enum in ENUMS for state in enum]
    return render_page(
        "staff/style_guide/show.html", form=form, states=states, chart=chart,
        example_amount=Money.of("412.50"),
    )  # fmt: skip
