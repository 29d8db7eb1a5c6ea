"""What is asked and done on the pages of a case: one form each, and the table of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, SelectField, StringField, TextAreaField

from portal.access import Ability
from portal.company import today
from portal.dunning import (
    OUTCOMES_OF_CALLS,
    ContactWords,
    DisputeWords,
    PromiseWords,
    add_note,
    addresses_of,
    collectors,
    dispute_invoice,
    give_back,
    hand_over,
    log_contact,
    managers,
    open_items_of,
    promise,
    propose_write_off,
    snooze,
    stop_case,
)
from portal.invoices import get_invoice
from portal.kernel.errors import InvalidFields
from portal.models import (
    ContactOutcome,
    ContactWay,
    DunningCase,
    InvoiceDisputeReason,
)
from portal.web import (
    ChoiceField,
    DayField,
    IdField,
    MoneyField,
    require,
    signed_in_user,
    words_of,
)
from staff.choices import row_of
from staff.collection_flag_forms import CollectorForm, FlagsForm, OptOutForm
from staff.collection_form import CaseForm

LONG = {"rows": 3}


class CallForm(CaseForm):
    address = SelectField(later("Number"), choices=[], validate_choice=False)
    outcome = SelectField(
        later("What happened"), choices={one.value: words_of(one) for one in OUTCOMES_OF_CALLS}
    )
    inbound = BooleanField(later("They called us"))
    note = TextAreaField(later("What was said"), render_kw=LONG)
    confirmed = BooleanField(later("Log it all the same"))

    def prepare(self, case: DunningCase) -> None:
        found = addresses_of(case.customer, ContactWay.CALL)
        self.address.choices = [
            (one.value, f"{one.value} {one.name}".strip()) for one in found
        ] or [("", _("no number known"))]

    def act(self, case: DunningCase) -> Any:
        words = ContactWords(
            ContactWay.CALL, ContactOutcome(self.outcome.data), self.note.data or "",
            self.address.data or "", bool(self.inbound.data),
        )  # fmt: skip
        log_contact(case, words, by=signed_in_user(), confirmed=bool(self.confirmed.data))
        return _("The call is logged.")


class LetterForm(CaseForm):
    note = TextAreaField(later("What was written"), render_kw=LONG)

    def act(self, case: DunningCase) -> Any:
        words = ContactWords(ContactWay.LETTER, ContactOutcome.SENT, self.note.data or "")
        log_contact(case, words, by=signed_in_user(), confirmed=True)
        return _("The letter is logged.")


class NoteForm(CaseForm):
    note = TextAreaField(later("Note"), render_kw=LONG)

    def act(self, case: DunningCase) -> Any:
        add_note(case, self.note.data or "")
        return _("Noted.")


class PromiseForm(CaseForm):
    amount = MoneyField(later("Amount"))
    promised_on = DayField(later("Until"), required=True)
    made_by = StringField(later("Who promised"))
    note = TextAreaField(later("Note"), render_kw=LONG)

    def prepare(self, case: DunningCase) -> None:
        if self.amount.data is None and not self.amount.raw_data:
            self.amount.data = case.owed

    def act(self, case: DunningCase) -> Any:
        words = PromiseWords(
            self.amount.data, self.promised_on.data, self.made_by.data or "", self.note.data or ""
        )
        promise(case.customer, words, by=signed_in_user())
        return _("The promise is kept in mind: nobody is reminded until then.")


class DisputeForm(CaseForm):
    about = SelectField(later("What is contested"), choices=[], validate_choice=False)
    amount = MoneyField(later("Amount"), required=False)
    reason = ChoiceField(later("Reason"), InvoiceDisputeReason)
    words = TextAreaField(later("What the customer says"), render_kw=LONG)
    owner_id = IdField(later("Who looks into it"))

    def prepare(self, case: DunningCase) -> None:
        self.about.choices = list(_contestable(case))
        self.owner_id.offer(collectors())

    def act(self, case: DunningCase) -> Any:
        invoice_id, _dot, line_id = (self.about.data or "").partition(".")
        known = {value for value, _said in self.about.choices}
        if self.about.data not in known:
            raise InvalidFields({"about": _("Choose one from the list.")})
        owner = next((one for one in collectors() if one.id == self.owner_id.data), None)
        words = DisputeWords(
            self.reason.data, self.words.data or "", int(line_id) if line_id else None,
            self.amount.data, owner,
        )  # fmt: skip
        dispute_invoice(get_invoice(int(invoice_id)), words, by=signed_in_user())
        return _("Noted: nobody is reminded of that part, and it bears no interest.")


class SnoozeForm(CaseForm):
    until = DayField(later("Until"), required=True)
    because = StringField(later("Why"))

    def act(self, case: DunningCase) -> Any:
        snooze(case, until=self.until.data, because=self.because.data or "")
        return _("Put off; it comes back by itself.")


class HandOverForm(CaseForm):
    manager_id = IdField(later("To"), empty=None)
    because = TextAreaField(later("What is to be decided"), render_kw=LONG)

    def prepare(self, case: DunningCase) -> None:
        self.manager_id.offer(managers())

    def act(self, case: DunningCase) -> Any:
        manager = row_of(managers(), self.manager_id.data)
        hand_over(case, manager, because=self.because.data or "")
        return _("Handed over.")


class GiveBackForm(CaseForm):
    because = TextAreaField(later("What was decided"), render_kw=LONG)

    def act(self, case: DunningCase) -> Any:
        require(Ability.MANAGE_COLLECTIONS)
        give_back(case, because=self.because.data or "")
        return _("Given back to the collector.")


class WriteOffForm(CaseForm):
    invoice_id = IdField(later("Invoice"), empty=None)
    amount = MoneyField(later("Amount"), required=False)
    because = TextAreaField(later("Why it will not be paid"), render_kw=LONG)

    def prepare(self, case: DunningCase) -> None:
        rows = [get_invoice(one.invoice_id) for one in _items(case)]
        self.invoice_id.offer(rows, words=lambda row: f"{row.number}: {row.balance}")

    def act(self, case: DunningCase) -> Any:
        invoice = get_invoice(self.invoice_id.data or 0)
        propose_write_off(
            case, invoice, amount=self.amount.data, because=self.because.data or "",
            by=signed_in_user(),
        )  # fmt: skip
        return _("Proposed; somebody who may write off decides.")


class StopForm(CaseForm):
    because = TextAreaField(later("Why nobody asks for it any more"), render_kw=LONG)

    def act(self, case: DunningCase) -> Any:
        require(Ability.MANAGE_COLLECTIONS)
        stop_case(case, because=self.because.data or "")
        return _("The case is closed.")


@dataclass(frozen=True)
class Action:
    """One page: what it is called, what it asks, what is said above it, and its button."""

    form: type[CaseForm]
    title: Any
    hint: Any
    button: Any


ACTIONS = {
    "calls": Action(
        CallForm,
        later("Log a call"),
        later("Every attempt counts for the guard rails."),
        later("Log it"),
    ),
    "letters": Action(LetterForm, later("Log a letter"), "", later("Log it")),
    "notes": Action(NoteForm, later("Add a note"), "", later("Add")),
    "promises": Action(
        PromiseForm,
        later("Promise to pay"),
        later("Kept or broken is found by itself."),
        later("Keep the promise"),
    ),
    "disputes": Action(
        DisputeForm,
        later("Dispute"),
        later("Without an amount: the whole balance, or the whole line."),
        later("Note the dispute"),
    ),
    "pause": Action(
        SnoozeForm,
        later("Put off"),
        later("The case leaves the list and comes back on that day."),
        later("Put off"),
    ),
    "handover": Action(
        HandOverForm,
        later("Hand over to a manager"),
        later("Nothing goes out by itself until it is given back."),
        later("Hand over"),
    ),
    "return": Action(GiveBackForm, later("Give back to the collector"), "", later("Give back")),
    "write-off": Action(
        WriteOffForm,
        later("Propose to write off"),
        later("Without an amount: all that is owed. Nothing is booked before it is approved."),
        later("Propose"),
    ),
    "closing": Action(
        StopForm,
        later("Stop collecting"),
        later("While it is owed, a new case begins by and by; a hold on the account prevents it."),
        later("Close the case"),
    ),
    "collector": Action(CollectorForm, later("Whose account it is"), "", later("Save")),
    "flags": Action(
        FlagsForm,
        later("What to know before asking for money"),
        later("Bankrupt, attorney and no contact stop everything at once."),
        later("Save"),
    ),
    "opt-outs": Action(OptOutForm, later("Does not want to be reached"), "", later("Save")),
}


def _items(case: DunningCase) -> list[Any]:
    return list(open_items_of([case.customer_id], on=today()).get(case.customer_id, []))


def _contestable(case: DunningCase) -> Iterator[tuple[str, str]]:
    for one in _items(case):
        invoice = get_invoice(one.invoice_id)
        yield str(invoice.id), _("Invoice %(n)s, all of it", n=invoice.number)
        for line in invoice.lines:
            if line.total.cents > 0:
                yield f"{invoice.id}.{line.id}", f"{invoice.number} · {line.description[:80]}"
