"""What to know before asking for money: whose account it is, flags, wishes."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, SelectField, StringField

from portal.access import Ability
from portal.dunning import (
    StandingWords,
    assign_collector,
    change_standing,
    collectors,
    look_soon,
    opt_out,
    standing_of,
)
from portal.kernel.errors import InvalidFields
from portal.models import (
    ContactWay,
    DunningCase,
)
from portal.web import (
    ChoiceField,
    DayField,
    IdField,
    VersionField,
    require,
    words_of,
)
from staff.collection_form import CaseForm


class CollectorForm(CaseForm):
    collector_id = IdField(later("Collector"), empty=later("Nobody"))

    def prepare(self, case: DunningCase) -> None:
        self.collector_id.offer(collectors())
        if request.method == "GET":
            self.collector_id.data = case.customer.collector_id

    def act(self, case: DunningCase) -> Any:
        require(Ability.MANAGE_COLLECTIONS)
        chosen = next((one for one in collectors() if one.id == self.collector_id.data), None)
        assign_collector([case.customer], chosen)
        return _("Saved.")


class FlagsForm(CaseForm):
    version = VersionField()
    on_hold = BooleanField(later("Account on hold: nobody asks for money"))
    hold_because = StringField(later("Why on hold"))
    paused_until = DayField(later("No reminders until"))
    paused_because = StringField(later("Why paused"))
    bankrupt = BooleanField(later("Bankrupt"))
    represented = StringField(later("Attorney who alone may be written to"))
    ceased = BooleanField(later("Must not be contacted any more"))
    best_way = SelectField(
        later("Wants to be reached only by"),
        choices={"": "—", **{one.value: words_of(one) for one in ContactWay}},
    )
    zone = StringField(later("Time zone, if not that of the address"))

    def prepare(self, case: DunningCase) -> None:
        if request.method == "GET":
            self.process(None, obj=standing_of(case.customer_id))

    def act(self, case: DunningCase) -> Any:
        data = {one.name: self.data[one.name] for one in fields(StandingWords)}
        data["best_way"] = ContactWay(data["best_way"]) if data["best_way"] else None
        change_standing(case.customer, StandingWords(**data), version=self.version.data)
        look_soon([case.customer_id])
        return _("Saved.")


class OptOutForm(CaseForm):
    way = ChoiceField(later("No more"), ContactWay)
    because = StringField(later("Who said so, and when"))

    def act(self, case: DunningCase) -> Any:
        if not (self.because.data or "").strip():
            raise InvalidFields({"because": _("Say who said so, and when.")})
        opt_out(self.way.data, because=self.because.data, customer=case.customer)
        look_soon([case.customer_id])
        return _("Noted: from now on nobody reaches them that way.")
