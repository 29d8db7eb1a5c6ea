"""The form of a sale at the counter: its rows have fields of the same names, in order."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from werkzeug.datastructures import MultiDict
from wtforms import StringField

from portal.invoices import LineWords
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity
from portal.web import Form, IdField, MoneyField, OnceField, QuantityField, UnitPriceField
from portal.web import read_money as read_amount
from staff.choices import item_named

ROWS, MORE = 5, 3  # empty rows to begin with, and how many are there at least after a look
MOST_ROWS = 200
NAMES = ("item", "item_id", "quantity", "unit_price")


class CounterForm(Form):
    once = OnceField()
    customer = StringField(later("Customer (empty: whoever walks in)"))
    tax_zone_id = IdField(later("Tax zone"), empty=later("No sales tax"))
    business_unit_id = IdField(later("Business unit"))
    type_id = IdField(later("Paid by"), empty=later("On account: pays later"))
    tendered = MoneyField(later("Cash given"), required=False)
    reference = StringField(later("Check number or reference"))


class RowForm(Form):
    """One row; empty ones do not count."""

    item = StringField(later("Code or name"))
    item_id = StringField()
    quantity = QuantityField(later("Quantity"), required=False)
    unit_price = UnitPriceField(later("Price"), required=False)

    def number(self, at: int) -> None:
        """Give the fields ids of their own, for their labels and lists."""
        for field in self._fields.values():
            field.id = f"{field.short_name}-{at}"

    @property
    def is_empty(self) -> bool:
        return not any(
            str(self[name].raw_data[0]).strip() if self[name].raw_data else ""
            for name in ("item", "unit_price")
        )

    def words(self) -> LineWords | None:
        """The line as typed, None with the reason beside the field when it is none."""
        if not self.validate():
            return None
        picked, typed = self.item_id.data, (self.item.data or "").strip()
        item = item_named(int(picked) if str(picked or "").isdigit() else None, typed)
        quantity = self.quantity.data if self.quantity.raw_data[0].strip() else Quantity.of(1)
        if item is None and self.unit_price.data is None:
            self.item.errors = [_("Not in the price book: give a price, or choose an item.")]
        elif quantity <= Quantity(0):
            self.quantity.errors = [_("Give a quantity above zero.")]
        elif item is None and not typed:
            self.item.errors = [_("Say what is sold.")]
        else:
            known = item is not None and typed in (item.code, f"{item.code} {item.name}")
            return LineWords(
                description="" if known else typed, quantity=quantity,
                unit_price=self.unit_price.data, item=item,
            )  # fmt: skip
        return None


def rows_of(sent: MultiDict[str, Any]) -> list[RowForm]:
    """The rows as typed and empty ones below them, so that there is always room for more."""
    columns = [sent.getlist(name)[:MOST_ROWS] for name in NAMES]
    typed = [dict(zip(NAMES, row, strict=True)) for row in zip_longest(*columns, fillvalue="")]
    rows = [RowForm(MultiDict(one), meta={"csrf": False}) for one in typed]
    filled = [row for row in rows if not row.is_empty]
    empty = MORE if filled else ROWS
    blank = dict.fromkeys(NAMES, "")
    rows = filled + [RowForm(MultiDict(blank), meta={"csrf": False}) for _ in range(empty)]
    for at, row in enumerate(rows, 1):
        row.number(at)
    return rows


def lines_of(rows: list[RowForm]) -> list[LineWords]:
    """The lines of all rows; DomainError when one has a reason beside it."""
    filled = [row for row in rows if not row.is_empty]
    lines = [row.words() for row in filled]
    if not all(lines):
        raise DomainError(_("A line needs a second look."))
    return [line for line in lines if line is not None]


def seen_total(sent: MultiDict[str, Any]) -> Money | None:
    """The total that stood on the page when the button was pressed."""
    try:
        return read_amount(sent.get("seen", ""))
    except ValueError:
        return None
