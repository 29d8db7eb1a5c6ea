"""Form fields in our own types: money, quantities, days, choices, rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import Field, HiddenField, SelectField
from wtforms.validators import ValidationError
from wtforms.widgets import TextInput

from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, Rate, UnitPrice

PLAIN = re.compile(  # -$1,234.50 or 1 234.50; a comma or blank only between groups of three
    r"(?P<sign>-?)\s?\$?\s?(?P<digits>([0-9]{1,3}([,\s][0-9]{3})+|[0-9]+)(\.[0-9]*)?|\.[0-9]+)"
)
LARGEST = Decimal("99999999.99")


class DecimalText(Field):
    """A number as people type it: 1,234.50 or $ 5 or 3,5 is told apart or refused in words."""

    data: Any
    widget = TextInput()
    complaint = lazy_gettext("Give a number such as 12.50.")
    required = True
    suffix = ""  # may be typed behind the number

    def __init__(self, *args: Any, required: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.required = required
        self.render_kw = {
            "inputmode": "decimal",
            "autocomplete": "off",
            **(kwargs.get("render_kw") or {}),
        }

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.show(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = (valuelist[0] if valuelist else "").strip()
        if not typed:
            self.data = None
            if self.required:
                raise ValueError(self.complaint)
            return
        self.data = self.read(_number(typed.removesuffix(self.suffix), self.complaint))

    def read(self, number: Decimal) -> Any:
        return number

    def show(self, value: Any) -> str:
        return str(value)


class MoneyField(DecimalText):
    """An amount; more than two decimals are refused rather than rounded silently."""

    complaint = lazy_gettext("Give an amount such as 12.50.")

    def read(self, number: Decimal) -> Money:
        return _whole_cents(number)

    def show(self, value: Money) -> str:
        return f"{value.amount:.2f}"


class QuantityField(DecimalText):
    def read(self, number: Decimal) -> Quantity:
        return Quantity.of(number)


class UnitPriceField(DecimalText):
    def read(self, number: Decimal) -> UnitPrice:
        return UnitPrice.of(number)

    def show(self, value: UnitPrice) -> str:
        text = f"{value.value:.4f}".rstrip("0")
        whole, _dot, digits = text.partition(".")
        return f"{whole}.{digits.ljust(2, '0')}"


class PercentField(DecimalText):
    """A percentage, kept as a fraction."""

    complaint = lazy_gettext("Give a percentage such as 8.875.")
    suffix = "%"

    def read(self, number: Decimal) -> Rate:
        if not 0 <= number <= 100:
            raise ValueError(_("A percentage lies between 0 and 100."))
        return Rate.percent(number)

    def show(self, value: Rate) -> str:
        return f"{value.as_percent.normalize():f}"


def read_money(typed: str) -> Money:
    """An amount typed outside a form field; ValueError with a sentence when it is none."""
    return _whole_cents(_number(typed, MoneyField.complaint))


def _number(typed: str, complaint: Any) -> Decimal:
    """Digits as people group them; anything that could mean another number is refused."""
    found = PLAIN.fullmatch(typed.strip())
    if found is None:
        raise ValueError(complaint)
    number = Decimal(re.sub(r"[,\s]", "", found["sign"] + found["digits"]))
    if abs(number) > LARGEST:
        raise ValueError(_("This number is too large."))
    return number


def _whole_cents(number: Decimal) -> Money:
    if number != number.quantize(Decimal("0.01")):
        raise ValueError(_("An amount has at most two decimals."))
    return Money.of(number)


class DayField(Field):
    """A date as the browser's date field sends it."""

    data: Any
    widget = TextInput()

    def __init__(self, *args: Any, required: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.required = required
        self.render_kw = {"type": "date", **(kwargs.get("render_kw") or {})}

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return self.data.isoformat() if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = (valuelist[0] if valuelist else "").strip()
        self.data = None
        if not typed:
            if self.required:
                raise ValueError(_("Choose a date."))
            return
        try:
            self.data = date.fromisoformat(typed)
        except ValueError:
            raise ValueError(_("This is not a date. Write it as 2026-11-30.")) from None
        if not 1990 <= self.data.year <= 2100:
            raise ValueError(_("This date is too far away."))


class ChoiceField(SelectField):
    """One member of an enum, in words."""

    def __init__(self, label: str, enum: type[StrEnum], **kwargs: Any) -> None:
        choices = {one.value: words_of(one) for one in enum}
        super().__init__(label, choices=choices, coerce=enum, **kwargs)


class IdField(SelectField):
    """The id of a row chosen from a list, or nothing."""

    def __init__(self, label: str, *, empty: str | None = "—", **kwargs: Any) -> None:
        super().__init__(label, coerce=_id_or_none, choices=[], **kwargs)
        self.empty = empty

    def offer(self, rows: Iterable[Any], *, words: Any = "name", also: Any = None) -> None:
        """Fill the list; `words` is an attribute or a function of the row.

        `also` is what the record has now: it stays a choice when it is no longer offered.
        """
        say = words if callable(words) else lambda row: getattr(row, words)
        rows = list(rows)
        if also is not None and also not in rows:
            rows.append(also)
        start = [] if self.empty is None else [("", self.empty)]
        self.choices = [*start, *((str(row.id), say(row)) for row in rows)]

    def pre_validate(self, form: Any) -> None:
        known = {value for value, _words in self.choices}
        if str(self.data or "") not in known:
            raise ValidationError(_("Choose one from the list."))


class VersionField(HiddenField):
    """The version of the record the form was made from."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            self.data = int(valuelist[0])
        except (IndexError, ValueError):
            self.data = 0


SPECIAL = {"ar_import": "A/R import", "plan_kept": "Kept"}  # what is not just its words


def words_of(member: str) -> str:
    """An enum member as people read it: needs_review becomes “Needs review”."""
    return SPECIAL.get(str(member)) or str(member).replace("_", " ").capitalize()


def _id_or_none(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
