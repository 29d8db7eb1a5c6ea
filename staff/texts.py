"""A text message about an invoice, as somebody types it: to which mobiles, which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request
from flask_babel import gettext as _
from wtforms import TextAreaField

from portal.invoices import (
    Sending,
    billing_contacts,
    invoice_values,
    mobile_numbers,
    template_kind,
)
from portal.kernel.addresses import normal_mobile
from portal.kernel.errors import InvalidFields
from portal.models import Channel, Invoice
from portal.outbox import Words, check_words, spoken, words_for, write_letter
from portal.web import Form, OnceField


class TextForm(Form):
    once = OnceField()
    words = TextAreaField("Words", render_kw={"rows": 4})


@dataclass(frozen=True)
class Phone:
    """A phone to tick; `problem` is why no text can go there."""

    number: str
    name: str
    ticked: bool
    problem: str


def text_form(invoice: Invoice) -> TextForm:
    """The form as it was sent, or with the template's words."""
    if "words" in request.form:
        return TextForm()
    form = TextForm(None)
    language = spoken(invoice.customer.language)
    form.words.data = words_for(template_kind(invoice), Channel.SMS, language).body
    return form


def phones(invoice: Invoice) -> list[Phone]:
    """Everybody with a phone; ticked as sent, else the first one a text can go to."""
    usual = mobile_numbers(invoice.customer)[:1]
    chosen = _typed_numbers() if "words" in request.form else usual
    found = []
    for one in billing_contacts(invoice.customer):
        if one.phone:
            number, problem = _mobile(one.phone, is_mobile=one.is_mobile)
            found.append(Phone(number, one.name, number in chosen and not problem, problem))
    return found


def text_preview(invoice: Invoice, form: TextForm) -> str:
    """The text as it would be read; looking makes no pay link."""
    language = spoken(invoice.customer.language)
    values = invoice_values(invoice, language, makes_link=False)
    return write_letter(Words("", form.words.data or ""), values, language).text.strip()


def text_of(invoice: Invoice, form: TextForm) -> Sending:
    """What is to be sent; InvalidFields beside what cannot."""
    known = mobile_numbers(invoice.customer)
    numbers = [one for one in _typed_numbers() if one in known]
    if not numbers:
        raise InvalidFields({"words": _("Tick at least one number.")})
    try:
        words = Words("", form.words.data or "")
        words = check_words(template_kind(invoice), Channel.SMS, words)
    except InvalidFields as wrong:
        raise InvalidFields({"words": wrong.errors["body"]}) from None
    return Sending(to=numbers, words=words, key=form.once.data or "")


def _typed_numbers() -> Sequence[str]:
    numbers = []
    for one in request.form.getlist("numbers"):
        try:
            numbers.append(normal_mobile(one))
        except ValueError:
            continue
    return list(dict.fromkeys(numbers))


def _mobile(phone: str, *, is_mobile: bool) -> tuple[str, str]:
    if not is_mobile:
        return phone, str(_("not marked as mobile"))
    try:
        return normal_mobile(phone), ""
    except ValueError as misfit:
        return phone, str(misfit)
