"""The price book."""

from __future__ import annotations

from dataclasses import fields

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import BooleanField, SelectField, StringField, TextAreaField

from portal.access import Ability
from portal.audit import trail_of
from portal.customers import get_customer
from portal.kernel.errors import DomainError
from portal.kernel.numbers import UnitPrice
from portal.ledger import active_accounts
from portal.models import AccountKind, ItemKind, PriceBookItem, TaxClass
from portal.pricebook import (
    ItemFilter,
    ItemWords,
    add_item,
    change_item,
    find_items,
    get_item,
    prices_of,
    search_items,
)
from portal.web import (
    ChoiceField,
    Form,
    IdField,
    UnitPriceField,
    VersionField,
    filters,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
)

CLASS_OF_KIND = {
    ItemKind.SERVICE: TaxClass.LABOR,
    ItemKind.MATERIAL: TaxClass.MATERIAL,
    ItemKind.EQUIPMENT: TaxClass.MATERIAL,
}

bp = Blueprint("pricebook", __name__, url_prefix="/price-book")


def _class_or_none(value: str | None) -> TaxClass | None:
    """Nothing chosen means what the kind says; ValueError for a word nobody offers."""
    return TaxClass(value) if value else None


class ItemForm(Form):
    version = VersionField()
    code = StringField("Code")
    name = StringField("Name")
    description = TextAreaField("Description", render_kw={"rows": 2})
    kind = ChoiceField("Kind", ItemKind)
    unit = StringField("Unit", default="each")
    unit_price = UnitPriceField("Price")
    unit_cost = UnitPriceField("Cost", required=False)
    taxable = BooleanField("Taxable", default=True)
    tax_class = SelectField(
        "Tax class",
        coerce=_class_or_none,
        choices={
            "": "What the kind says",
            **{one.value: one.value.capitalize() for one in TaxClass},
        },
    )
    income_account_id = IdField("Income account", empty="What the kind says")
    active = BooleanField("Active", default=True)


@bp.get("")
@needs(Ability.VIEW_PRICE_BOOK)
def index() -> Response:
    return render_page(
        "staff/pricebook/index.html", fragment="rows",
        page=find_items(filters(ItemFilter), page_request()),
        kinds=[(one.value, one.value.capitalize()) for one in ItemKind],
    )  # fmt: skip


@bp.get("/lookup")
@needs(Ability.VIEW_PRICE_BOOK)
def lookup() -> Response:
    text = request.args.get("item", "").strip()
    found = search_items(text, limit=10) if text else []
    customer_id = request.args.get("customer_id", type=int)
    agreed = _agreed(customer_id) if customer_id else {}
    priced = [(one, agreed.get(one.id, one.unit_price)) for one in found]
    return render_page("staff/pricebook/lookup.html", found=priced)


@bp.get("/new")
@needs(Ability.EDIT_PRICE_BOOK)
def new() -> Response:
    return render_page("staff/pricebook/form.html", form=_form(None), item=None, trail=[])


@bp.post("")
@needs(Ability.EDIT_PRICE_BOOK)
def create() -> Response:
    form = _form(request.form)
    try:
        if form.is_sent():
            add_item(_words(form))
            notify(_("Added."))
            return redirect_to("staff.pricebook.index")
    except DomainError as error:
        form.refuse(error)
    return render_page("staff/pricebook/form.html", status=422, form=form, item=None, trail=[])


@bp.get("/<int:item_id>")
@needs(Ability.VIEW_PRICE_BOOK)
def show(item_id: int) -> Response:
    item = get_item(item_id)
    return render_page(
        "staff/pricebook/form.html", form=_form(None, item), item=item, trail=trail_of(item)
    )


@bp.post("/<int:item_id>")
@needs(Ability.EDIT_PRICE_BOOK)
def save(item_id: int) -> Response:
    item = get_item(item_id)
    form = _form(request.form, item)
    try:
        if form.is_sent():
            change_item(item, _words(form), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.pricebook.index")
    except DomainError as error:
        form.refuse(error)
    return render_page(
        "staff/pricebook/form.html", status=422, form=form, item=item, trail=trail_of(item)
    )


def _form(sent: object, item: PriceBookItem | None = None) -> ItemForm:
    form = ItemForm(sent, obj=item)
    form.income_account_id.offer(
        active_accounts(AccountKind.INCOME),
        words=lambda one: f"{one.number} {one.name}",
        also=item.income_account if item else None,
    )
    return form


def _agreed(customer_id: int) -> dict[int, UnitPrice]:
    return {one.item_id: one.unit_price for one in prices_of(get_customer(customer_id))}


def _words(form: ItemForm) -> ItemWords:
    data = {one.name: form.data[one.name] for one in fields(ItemWords)}
    data["tax_class"] = data["tax_class"] or CLASS_OF_KIND.get(data["kind"], TaxClass.OTHER)
    data["unit_cost"] = data["unit_cost"] or UnitPrice(0)
    data["unit"] = (data["unit"] or "each").strip()
    return ItemWords(**data)
