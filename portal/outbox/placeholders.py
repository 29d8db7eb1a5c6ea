"""Words in braces: filled once, with values said in the recipient's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from portal.company import company, format_day, format_money
from portal.kernel.money import Money

Value = Money | date | str
Values = Mapping[str, Value]

PLACEHOLDERS = {  # what people read beside the editor
    "customer_name": "who pays",
    "number": "the number of the document",
    "total": "its total; on a receipt what was received",
    "balance": "what is still owed; empty when nothing is",
    "due_date": "when that is due",
    "date": "the day of the document or of the payment",
    "pay_link": "a link to see and pay it; empty when nothing is owed",
    "portal_link": "where customers sign in",
    "method": "the card or bank account that is charged",
    "manage_link": "where the customer changes the method or turns autopay off",
    "summary": "what was done; on a receipt or reminder what is open, of a plan its payments",
    "reason": "what the bank said, or why we write of a plan or a method",
    "company_name": "your company",
}
ALWAYS = {"customer_name", "number", "total", "balance", "pay_link", "portal_link", "summary",
          "company_name"}  # fmt: skip
FILLED = {  # which of them each kind of message can say
    "invoice": ALWAYS | {"due_date", "date"},
    "credit_note": ALWAYS | {"due_date", "date"},
    "receipt": ALWAYS | {"date"},
    "payment_came_back": ALWAYS | {"reason"},
    "payment_method": ALWAYS | {"reason"},
    "autopay_notice": ALWAYS | {"due_date", "date", "method", "manage_link"},
    "charge_failed": ALWAYS | {"date", "method", "manage_link", "reason"},
    **{
        f"plan_{what}": ALWAYS | {"due_date", "date", "reason"}
        for what in (
            "proposed",
            "accepted",
            "declined",
            "withdrawn",
            "reminder",
            "missed",
            "broken",
            "kept",
        )
    },
    **{
        f"reminder_{tone}": ALWAYS | {"due_date", "date"}
        for tone in ("courtesy", "friendly", "firm", "final")
    },
}
BRACES = re.compile(r"\{([^{}\n]*)\}")


def placeholders_of(kind: str) -> dict[str, str]:
    """The words in braces this kind of message can say, and what they stand for."""
    return {name: meaning for name, meaning in PLACEHOLDERS.items() if name in FILLED[kind]}


def misplaced(kind: str, text: str) -> str:
    """Why words in braces of this text cannot be filled, in a sentence; empty when all can."""
    named = dict.fromkeys(BRACES.findall(text))
    unknown = [f"{{{name}}}" for name in named if name not in PLACEHOLDERS]
    elsewhere = [f"{{{name}}}" for name in named if name in PLACEHOLDERS.keys() - FILLED[kind]]
    if unknown:
        return f"There is no {', '.join(unknown)}. The words you can use are listed below."
    if elsewhere:
        called, said = kind.replace("_", " "), ", ".join(elsewhere)
        return f"{said} says nothing here ({called}). The words you can use are listed below."
    return ""


def said(values: Values, language: str) -> dict[str, str]:
    """Every value as text: money and days as people of that language write them."""
    locale = locale_of(language)
    return {name: _say(values.get(name, ""), locale) for name in PLACEHOLDERS}


def locale_of(language: str) -> str:
    """The company's locale where it speaks that language, else the language itself."""
    own = company().locale
    return own if own.partition("_")[0] == language else language


def fill(text: str, words: Mapping[str, str]) -> str:
    """The text with its braces filled; what a value holds is never filled again."""
    return BRACES.sub(lambda found: words.get(found[1], found[0]), text)


def says_nothing(line: str, words: Mapping[str, str]) -> bool:
    """Whether a line has a word in braces that would hang in the air, e.g. no date to be due."""
    names = [name for name in BRACES.findall(line) if name in words and name != "reason"]
    return any(not words[name] for name in names)


def _say(value: Value, locale: str) -> str:
    if isinstance(value, Money):
        return format_money(value, locale, company().currency)
    if isinstance(value, date):
        return format_day(value, locale, "long")
    return value
