"""What each kind of file may hold, and how its columns are recognised."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from portal.imports.parsing import to_day, to_money, to_price, to_text, to_yes
from portal.models import ImportSubject


@dataclass(frozen=True)
class Column:
    """One thing a row may say; `synonyms` are titles other products use for it.

    `hint` explains on the screen what is not clear from the label.
    """

    name: str
    label: str
    read: Callable[[str], Any] = to_text
    required: bool = False
    synonyms: tuple[str, ...] = ()
    hint: str = ""


OWN_NUMBER = (
    "Any number of your own that stays the same. It tells two customers of one name apart, and "
    "lets a file be brought twice without adding anything twice."
)
WHOSE = "The customer number, or the exact name when only one customer has it."
OWN_PAYMENT = "Any number of your own; a payment with a number that is here already is left out."

ADDRESS = [
    Column(
        "street", "Street", synonyms=("address", "address 1", "billing street", "address line 1")
    ),
    Column("unit", "Unit", synonyms=("address 2", "address line 2", "suite")),
    Column("city", "City", synonyms=("town", "billing city")),
    Column("region", "State", synonyms=("province", "billing state", "region")),
    Column("postal_code", "ZIP", synonyms=("zip code", "postal code", "postcode", "billing zip")),
]

SHAPES: dict[ImportSubject, list[Column]] = {
    ImportSubject.CUSTOMERS: [
        Column("key", "Customer number", required=True, hint=OWN_NUMBER,
               synonyms=("customer id", "id", "account number", "customer key", "number")),
        Column("name", "Name", required=True,
               synonyms=("customer", "customer name", "company", "display name", "full name")),
        Column("email", "Email", synonyms=("e-mail", "email address", "main email")),
        Column("phone", "Phone", synonyms=("telephone", "main phone", "phone number")),
        *ADDRESS,
        Column("term", "Payment term", synonyms=("terms", "payment terms")),
        Column("notes", "Notes", synonyms=("memo", "comment")),
    ],
    ImportSubject.ITEMS: [
        Column("code", "Code", required=True, synonyms=("sku", "item code", "item", "item number")),
        Column("name", "Name", required=True, synonyms=("item name", "description", "title")),
        Column("kind", "Kind", synonyms=("type", "item type", "category")),
        Column("unit_price", "Price", read=to_price, required=True,
               synonyms=("sales price", "unit price", "rate", "price each")),
        Column("unit_cost", "Cost", read=to_price, synonyms=("purchase cost", "unit cost")),
        Column("unit", "Unit", synonyms=("uom", "unit of measure")),
        Column("taxable", "Taxable", read=to_yes, synonyms=("tax", "is taxable")),
    ],
    ImportSubject.INVOICES: [
        Column("number", "Invoice number", required=True,
               synonyms=("invoice", "invoice no", "num", "doc number", "invoice #")),
        Column("customer", "Customer", required=True, hint=WHOSE,
               synonyms=("customer name", "customer number", "name", "bill to", "customer id")),
        Column("date", "Invoice date", read=to_day, required=True,
               synonyms=("date", "issued", "invoice date")),
        Column("due", "Due date", read=to_day, synonyms=("due", "due on")),
        Column("total", "Total", read=to_money, required=True,
               synonyms=("amount", "invoice total", "grand total")),
        Column("tax", "Of it sales tax", read=to_money, synonyms=("tax", "tax amount")),
        Column("balance", "Still open", read=to_money,
               synonyms=("open balance", "balance", "amount due", "balance due")),
        Column("paid_on", "Paid on", read=to_day, synonyms=("paid date", "date paid")),
        Column("term", "Payment term", synonyms=("terms", "payment terms")),
        Column("summary", "What was done", synonyms=("memo", "description", "summary")),
    ],
    ImportSubject.PAYMENTS: [
        Column("key", "Payment number", required=True, hint=OWN_PAYMENT,
               synonyms=("payment id", "id", "transaction id", "reference", "number")),
        Column("customer", "Customer", required=True, hint=WHOSE,
               synonyms=("customer name", "customer number", "name", "received from")),
        Column("date", "Received on", read=to_day, required=True,
               synonyms=("date", "payment date", "received")),
        Column("amount", "Amount", read=to_money, required=True, synonyms=("total", "paid")),
        Column("invoice", "For invoice", synonyms=("invoice number", "invoice", "applied to")),
        Column("type", "Paid by",
               synonyms=("payment type", "payment method", "method", "type", "paid with")),
        Column("reference", "Check number", synonyms=("check no", "check #", "ref", "check")),
    ],
}  # fmt: skip


def guess_mapping(subject: ImportSubject, titles: Sequence[str]) -> dict[str, str]:
    """Column name → title of the file, by its own words, synonyms, then likeness."""
    left = {_plain(title): title for title in titles if title}
    mapping: dict[str, str] = {}
    for exact in (True, False):
        for column in SHAPES[subject]:
            if column.name in mapping:
                continue
            words = [_plain(word) for word in (column.label, column.name, *column.synonyms)]
            fits = [word for word in words if word in left]
            if not fits and not exact:
                fits = [m for word in words for m in get_close_matches(word, left, 1, 0.86)]
            if fits:
                mapping[column.name] = left.pop(fits[0])
    return mapping


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9#]+", " ", title.lower()).strip()
