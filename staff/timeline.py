"""The trail of a record as people read it: days in the company's form, links, no ids."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape

from portal.company import company, format_day

DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
PAYMENT = re.compile(r"(?<=(?:applied|en back) from )payment (\d+)(?=\.$)")
STAFF = re.compile(r" \(staff \d+\)$")


def told(sentence: str) -> Markup:
    """One sentence of the trail; "… applied from payment 276." links to that payment."""
    text = _days(sentence)
    found = PAYMENT.search(text)
    if found is None:
        return escape(text)
    address = url_for("staff.payments.show", payment_id=int(found[1]))
    link = Markup('<a href="{}">{}</a>').format(address, _("a payment"))
    return escape(text[: found.start()]) + link + escape(text[found.end() :])


def change_words(value: Any) -> str:
    """An old or a new value: yes and no, lists with dots between, states without underscores."""
    if value is None or value == "" or value == []:
        return "—"
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {change_words(one)}" for name, one in value.items())
    if isinstance(value, list):
        return " · ".join(change_words(one) for one in value)
    text = _days(str(value))
    return text.replace("_", " ") if re.fullmatch(r"[a-z]+(_[a-z]+)+", text) else text


def actor_words(actor: str) -> str:
    """Who did it, without the number only the books need; the house itself by name."""
    return _("Fieldledger") if actor == "system" else STAFF.sub("", actor)


def _days(text: str) -> str:
    def said(found: re.Match[str]) -> str:
        try:
            return format_day(date.fromisoformat(found[0]), company().locale)
        except ValueError:
            return found[0]

    return DAY.sub(said, text)
