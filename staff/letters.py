"""The letter an invoice is sent with, as somebody types it: to whom, which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request
from flask_babel import gettext as _
from wtforms import SelectField, StringField, TextAreaField

from portal.invoices import (
    Sending,
    billing_addresses,
    billing_contacts,
    copy_addresses,
    invoice_values,
    template_kind,
)
from portal.kernel.addresses import split_addresses
from portal.kernel.errors import InvalidFields
from portal.models import Channel, Invoice, JobPhoto
from portal.outbox import (
    Letter,
    Words,
    bounced_addresses,
    check_words,
    spoken,
    words_for,
    write_letter,
)
from portal.web import Form, OnceField

LANGUAGES = {"en": "English", "es": "Español", "fr": "Français"}


class LetterForm(Form):
    once = OnceField()
    more = StringField("More addresses, separated by commas", render_kw={"autocomplete": "off"})
    cc = StringField("Copies (CC)", render_kw={"autocomplete": "off"})
    language = SelectField("Language", choices=LANGUAGES)
    subject = StringField("Subject")
    body = TextAreaField("Words", render_kw={"rows": 14, "spellcheck": "true"})


@dataclass(frozen=True)
class Recipient:
    """Somebody to tick; `bounced` is why mail to that address came back last time."""

    address: str
    name: str
    ticked: bool
    bounced: str


def letter_form(invoice: Invoice) -> LetterForm:
    """The form as it was sent, or filled from the customer's record and the template."""
    form = LetterForm()
    if "subject" in request.form and "reload" not in request.form:
        return form
    language = spoken(request.form.get("language") or invoice.customer.language)
    words = words_for(template_kind(invoice), Channel.EMAIL, language)
    form.language.data, form.subject.data, form.body.data = language, words.subject, words.body
    if "subject" not in request.form:
        form.cc.data = ", ".join(copy_addresses(invoice.customer))
    return form


def recipients(invoice: Invoice) -> list[Recipient]:
    """Everybody at the customer one may write to; ticked as sent, else as the rules would."""
    bounced = bounced_addresses([invoice.customer_id])
    usual = set(billing_addresses(invoice))
    chosen = set(request.form.getlist("to")) if "subject" in request.form else None
    rows = [(one.email, one.name) for one in billing_contacts(invoice.customer) if one.email]
    if invoice.customer.email:
        rows.append((invoice.customer.email, _("the customer's own address")))
    known = dict(reversed(rows))
    return [
        Recipient(
            address,
            known[address],
            address in chosen if chosen is not None else address in usual - bounced.keys(),
            bounced.get(address.lower(), ""),
        )
        for address in dict.fromkeys(address for address, _name in rows)
    ]


def preview(invoice: Invoice, form: LetterForm) -> Letter:
    """The mail as the customer would read it; looking makes no pay link."""
    language = spoken(form.language.data or "")
    values = invoice_values(invoice, language, makes_link=False)
    return write_letter(Words(form.subject.data or "", form.body.data or ""), values, language)


def sending_of(invoice: Invoice, form: LetterForm, photos: Sequence[JobPhoto]) -> Sending:
    """What is to be sent; InvalidFields beside what cannot."""
    if "subject" not in request.form:  # pressed elsewhere: as the customer's record says
        return Sending(photos=photos if "photos" in request.form else ())
    errors: dict[str, str] = {}
    to = _addresses("more", form.more.data or "", errors)
    copies = _addresses("cc", form.cc.data or "", errors)
    known = {one.address for one in recipients(invoice)}
    to = list(dict.fromkeys([*(x for x in request.form.getlist("to") if x in known), *to]))
    if not to and "more" not in errors:
        errors["more"] = _("Tick or type at least one address.")
    words = Words(form.subject.data or "", form.body.data or "")
    try:
        words = check_words(template_kind(invoice), Channel.EMAIL, words)
    except InvalidFields as wrong:
        errors |= wrong.errors
    if errors:
        raise InvalidFields(errors)
    return Sending(
        to=to, cc=copies, language=form.language.data or "", words=words,
        photos=photos if "photos" in request.form else (), key=form.once.data or "",
    )  # fmt: skip


def _addresses(name: str, typed: str, errors: dict[str, str]) -> list[str]:
    try:
        return split_addresses(typed)
    except ValueError as error:
        errors[name] = str(error)
        return []
