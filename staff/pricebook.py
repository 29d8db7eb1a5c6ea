"""The price book."""

from __future__ import annotations

from dataclasses import fields

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import BooleanField, StringField, TextAreaField

from portal.access import Ability
from portal.audit import trail_of
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

bp = Blueprint("pricebook", __name__, url_prefix="/price-book")


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
    tax_class = ChoiceField("Tax class", TaxClass)
    income_account_id = IdField("Income account", empty="The default revenue account")
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
    return render_page("staff/pricebook/lookup.html", found=found)


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


def _words(form: ItemForm) -> ItemWords:
    data = {one.name: form.data[one.name] for one in fields(ItemWords)}
    data["unit_cost"] = data["unit_cost"] or UnitPrice(0)
    data["unit"] = (data["unit"] or "each").strip()
    return ItemWords(**data)
