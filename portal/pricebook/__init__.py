"""The price book and what each customer pays from it."""

from portal.pricebook.items import (
    ItemFilter,
    ItemWords,
    add_item,
    change_item,
    find_items,
    get_item,
    price_for,
    prices_of,
    remove_customer_price,
    search_items,
    set_customer_price,
)

__all__ = [
    "ItemFilter",
    "ItemWords",
    "add_item",
    "change_item",
    "find_items",
    "get_item",
    "price_for",
    "prices_of",
    "remove_customer_price",
    "search_items",
    "set_customer_price",
]
