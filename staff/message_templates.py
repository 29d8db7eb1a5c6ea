"""The words of messages: shown, edited with a live preview, given back to the house."""

from __future__ import annotations

from flask import Blueprint, Response, abort
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import StringField, TextAreaField

from portal.access import Ability
from portal.company import company, format_day, today
from portal.invoices import invoice_values, newest_sent_with, portal_url
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.models import Channel
from portal.outbox import (
    LANGUAGES,
    OFFERED,
    Letter,
    Values,
    Words,
    check_words,
    edited_words,
    forget_words,
    locale_of,
    own_words,
    placeholders_of,
    save_words,
    words_for,
    write_letter,
)
from portal.payments import newest_receipt, receipt_values
from portal.web import (
    Form,
    VersionField,
    needs,
    notify,
    redirect_to,
    render_page,
)
from staff.choices import chosen
from staff.letters import LANGUAGES as LANGUAGE_NAMES

bp = Blueprint("message_templates", __name__, url_prefix="/message-templates")

TITLES = {
    "invoice": later("Invoice"),
    "credit_note": later("Credit note"),
    "receipt": later("Receipt for a payment"),
    "payment_came_back": later("Payment that came back"),
    "autopay_notice": later("Notice before autopay charges"),
    "charge_failed": later("Charge of a saved method that failed"),
    "payment_method": later("Payment method to save or replace"),
    "plan_proposed": later("Payment plan: offered"),
    "plan_accepted": later("Payment plan: agreed"),
    "plan_declined": later("Payment plan: declined"),
    "plan_withdrawn": later("Payment plan: offer taken back"),
    "plan_reminder": later("Payment plan: next payment"),
    "plan_missed": later("Payment plan: payment missing"),
    "plan_broken": later("Payment plan: ended early"),
    "plan_kept": later("Payment plan: all paid"),
    "reminder_courtesy": later("Reminder: before it is due"),
    "reminder_friendly": later("Reminder: friendly"),
    "reminder_firm": later("Reminder: firm"),
    "reminder_final": later("Reminder: final notice"),
}
CHANNELS = {Channel.EMAIL: later("Email"), Channel.SMS: later("Text message")}
PLACE = "/<kind>/<channel>/<language>"


class WordsForm(Form):
    version = VersionField()
    subject = StringField("Subject")
    body = TextAreaField("Words", render_kw={"rows": 14, "spellcheck": "true"})


@bp.get("")
@needs(Ability.EDIT_SETTINGS)
def index() -> Response:
    return render_page(
        "staff/message_templates/index.html", titles=TITLES, channels=CHANNELS,
        offered=OFFERED,
        languages=LANGUAGE_NAMES, edited=edited_words(),
    )  # fmt: skip


@bp.get(PLACE)
@needs(Ability.EDIT_SETTINGS)
def edit(kind: str, channel: str, language: str) -> Response:
    medium = _place(kind, channel, language)
    words, row = words_for(kind, medium, language), own_words(kind, medium, language)
    form = WordsForm(None, subject=words.subject, body=words.body)
    form.version.data = row.version if row else 0
    return _page(kind, medium, language, form)


@bp.post(PLACE)
@needs(Ability.EDIT_SETTINGS)
def save(kind: str, channel: str, language: str) -> Response:
    medium = _place(kind, channel, language)
    form = WordsForm()
    try:
        if form.is_sent():
            save_words(kind, medium, language, _words(form), version=form.version.data)
            notify(_("Saved. The next message says it so."))
            return redirect_to("staff.message_templates.index")
    except DomainError as error:
        form.refuse(error)
    return _page(kind, medium, language, form, status=422)


@bp.post(f"{PLACE}/preview")
@needs(Ability.EDIT_SETTINGS)
def look(kind: str, channel: str, language: str) -> Response:
    """How it reads with a real recent invoice; what is wrong with it stands beside the field."""
    medium = _place(kind, channel, language)
    form = WordsForm()
    try:
        check_words(kind, medium, _words(form))
    except DomainError as error:
        form.refuse(error)
    return _page(kind, medium, language, form)


@bp.post(f"{PLACE}/house-words")
@needs(Ability.EDIT_SETTINGS)
def reset(kind: str, channel: str, language: str) -> Response:
    medium, seen = _place(kind, channel, language), WordsForm().version.data
    if forget_words(kind, medium, language, version=seen):
        notify(_("The house's words are used again."))
    return redirect_to(
        "staff.message_templates.edit", kind=kind, channel=channel, language=language
    )


def _place(kind: str, channel: str, language: str) -> Channel:
    medium = chosen(Channel, channel)
    if (kind, medium) not in OFFERED or language not in LANGUAGES:
        abort(404)
    return medium


def _words(form: WordsForm) -> Words:
    return Words(form.subject.data or "", form.body.data or "")


def _page(
    kind: str, channel: Channel, language: str, form: WordsForm, *, status: int = 200
) -> Response:
    values, about = _example(kind, language)
    preview: Letter = write_letter(_words(form), values, language)
    return render_page(
        "staff/message_templates/form.html", fragment="preview", status=status, kind=kind,
        channel=channel, language=language, form=form, preview=preview, about=about,
        title=TITLES[kind], medium=CHANNELS[channel], language_name=LANGUAGE_NAMES[language],
        placeholders=placeholders_of(kind), is_own=own_words(kind, channel, language) is not None,
    )  # fmt: skip


def _example(kind: str, language: str) -> tuple[Values, str]:
    """What the preview speaks of: the newest document of that very kind, else one made up."""
    if kind == "receipt" and (paid := newest_receipt()):
        values = receipt_values(*paid, language, makes_link=False)
        number, who = str(values["number"]), paid[0].customer.name
    elif kind in ("invoice", "credit_note") and (invoice := newest_sent_with(kind)):
        values = invoice_values(invoice, language, makes_link=False)
        number, who = invoice.number, invoice.customer.name
    else:
        return _made_up(kind, language), str(_("made up: there is no such document yet"))
    return values, str(_("as for %(n)s of %(c)s", n=number, c=who))


def _made_up(kind: str, language: str) -> Values:
    values: Values = {
        "customer_name": "Ada Lovelace", "number": "INV-2026-00042", "total": Money.of("412.50"),
        "balance": Money.of("412.50"), "due_date": today(), "date": today(),
        "pay_link": f"{portal_url()}…", "portal_link": portal_url(),
        "summary": str(_("Cleaned the condenser and replaced the filter.")),
        "reason": str(_("The account has no funds.")), "company_name": company().name,
        "method": "Visa •••• 4242", "manage_link": f"{portal_url()}autopay",
    }  # fmt: skip
    if kind.startswith("plan_"):
        one_payment = f"1. {format_day(today(), locale_of(language), 'long')}: …"
        values = {**values, "summary": one_payment, "number": "P-000042"}
    return values
