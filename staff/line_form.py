"""The form of one invoice line."""

from __future__ import annotations

from wtforms import BooleanField, StringField

from portal.web import Form, IdField, OnceField, QuantityField, UnitPriceField, VersionField


class LineForm(Form):
    version = VersionField()
    once = OnceField()
    item = StringField("Item or words", render_kw={"autocomplete": "off"})
    quantity = QuantityField("Quantity")
    unit_price = UnitPriceField("Price", required=False)
    taxable = BooleanField("Taxable", default=True)


class EditLineForm(LineForm):
    """A line that is there already: also who put in the part."""

    technician_id = IdField("Technician", empty="Nobody named")
