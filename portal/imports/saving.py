"""Writing checked rows, in bulk, within one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from portal.audit import record_many
from portal.audit.trail import Happening
from portal.db import db
from portal.imports.checking import Row
from portal.kernel import clock
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, Rate, UnitPrice
from portal.ledger import Entry, Leg, post_entries
from portal.models import (
    AccountRole,
    Contact,
    Customer,
    ImportSubject,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    InvoiceTax,
    ItemKind,
    Location,
    Payment,
    PaymentApplication,
    PaymentTerm,
    PaymentType,
    PriceBookItem,
    ReviewState,
    SentState,
    TaxBase,
    TaxClass,
)
from portal.payments import ReceivedMoney, payment_types, receive_payment
from portal.taxes import suggest_zone

CHUNK = 1000
PAID_BEFORE = "Paid before import"


def save_rows(subject: ImportSubject, rows: Sequence[Row], *, told: Callable[[int], None]) -> None:
    """Save every row, or raise and save none: the caller's transaction decides."""
    save = SAVE[subject]
    for start in range(0, len(rows), CHUNK):
        save(rows[start : start + CHUNK])
        told(min(start + CHUNK, len(rows)))


def _insert(table: Any, values: Sequence[dict[str, Any]]) -> list[int]:
    if not values:
        return []
    at = clock.now()
    rows = [{"created_at": at, **row} for row in values]
    statement = sa.insert(table).returning(table.id, sort_by_parameter_order=True)
    return list(db.session.scalars(statement, rows))


def _customers(rows: Sequence[Row]) -> None:
    text = ("name", "phone", "street", "unit", "city", "region", "postal_code", "notes")
    ids = _insert(
        Customer,
        [
            {one: row.get(one) or "" for one in text}
            | {"email": row["email"], "term_id": row["term_id"], "external_key": row["key"]}
            for row in rows
        ],
    )
    pairs = list(zip(ids, rows, strict=True))
    zones = {code: _zone_of(code) for code in {row.get("postal_code") or "" for row in rows}}
    _insert(
        Location,
        [
            {
                "customer_id": row_id,
                "external_key": f"customer:{row['key']}",
                "tax_zone_id": zones[row.get("postal_code") or ""],
            }
            | {
                one: row.get(one) or ""
                for one in ("street", "unit", "city", "region", "postal_code")
            }
            for row_id, row in pairs
            if row.get("street")
        ],
    )
    _insert(
        Contact,
        [
            {"customer_id": row_id, "name": row["name"], "email": row["email"],
             "phone": row.get("phone") or ""}
            for row_id, row in pairs
            if row["email"]
        ],
    )  # fmt: skip
    _record("customer", ids)


def _zone_of(postal_code: str) -> int | None:
    """The zone its ZIP code suggests, as for a location typed by hand; none when ambiguous."""
    zone = suggest_zone(postal_code).zone
    return zone.id if zone else None


def _items(rows: Sequence[Row]) -> None:
    classes = {ItemKind.SERVICE: TaxClass.LABOR, ItemKind.MATERIAL: TaxClass.MATERIAL,
               ItemKind.EQUIPMENT: TaxClass.MATERIAL}  # fmt: skip
    ids = _insert(
        PriceBookItem,
        [
            {
                "code": row["code"],
                "name": row["name"],
                "kind": row["kind"],
                "unit": row.get("unit") or "each",
                "unit_price": row["unit_price"],
                "unit_cost": row.get("unit_cost") or UnitPrice(0),
                "taxable": True if row.get("taxable") is None else row["taxable"],
                "tax_class": classes.get(row["kind"], TaxClass.OTHER),
            }
            for row in rows
        ],
    )
    _record("pricebookitem", ids)


def _invoices(rows: Sequence[Row]) -> None:
    """Opening invoices: Dr A/R, Cr Opening Balance Equity; what was paid came before the import."""
    names = _names({row["customer_id"] for row in rows})
    terms = {one.id: one for one in db.session.scalars(sa.select(PaymentTerm))}
    ids = _insert(
        Invoice,
        [_invoice(row, names[row["customer_id"]], terms.get(row["term_id"])) for row in rows],
    )
    pairs = list(zip(ids, rows, strict=True))
    _insert(InvoiceLine, [_line(row_id, row) for row_id, row in pairs])
    _insert(InvoiceTax, [_tax(row_id, row) for row_id, row in pairs if row["tax"]])
    post_entries([_opening_entry(row_id, row) for row_id, row in pairs])
    _paid_before([(row_id, row) for row_id, row in pairs if row["balance"] != row["total"]])
    _record("invoice", ids)


def _invoice(row: Row, name: str, term: PaymentTerm | None) -> dict[str, Any]:
    return {
        "kind": InvoiceKind.AR_IMPORT,
        "customer_id": row["customer_id"],
        "reference_number": row["number"],
        "document_number": row["number"],
        "external_key": row["key"],
        "invoice_date": row["date"],
        "due_date": row.get("due") or (term.due_date(row["date"]) if term else None),
        "term_id": term.id if term else None,
        "term_name": term.name if term else "",
        "summary": row.get("summary") or "",
        "state": InvoiceState.POSTED,
        "review_state": ReviewState.REVIEWED,
        "sent_state": SentState.NOT_SENT,
        "posted_at": clock.now(),
        "subtotal": row["total"] - row["tax"],
        "tax_total": row["tax"],
        "total": row["total"],
        "balance": row["balance"],
        "settled_on": max(row["paid_on"], row["date"]) if row["balance"] == ZERO else None,
        "last_applied_on": row["paid_on"] if row["balance"] != row["total"] else None,
        "bill_to": name,
    }


def _line(invoice_id: int, row: Row) -> dict[str, Any]:
    net: Money = row["total"] - row["tax"]
    return {
        "invoice_id": invoice_id,
        "position": 0,
        "description": row.get("summary") or "Brought in from the previous system",
        "quantity": Quantity.of(1),
        "unit_price": UnitPrice.of(net.amount),
        "total": net,
        "taxable": bool(row["tax"]),
    }


def _tax(invoice_id: int, row: Row) -> dict[str, Any]:
    net: Money = row["total"] - row["tax"]
    rate = Rate.of(row["tax"].amount / net.amount) if net else Rate(0)
    return {
        "invoice_id": invoice_id,
        "position": 0,
        "authority": "Sales tax (imported)",
        "base": TaxBase.SUBTOTAL,
        "rate": rate,
        "taxable_amount": net,
        "amount": row["tax"],
    }


def _opening_entry(invoice_id: int, row: Row) -> Entry:
    return Entry(
        on=row["date"],
        memo=f"Opening invoice {row['number']}",
        source=("invoice", invoice_id),
        legs=[
            Leg(AccountRole.RECEIVABLE, row["total"], row["customer_id"], invoice_id),
            Leg(AccountRole.OPENING_BALANCE, -row["total"]),
        ],
    )


def _paid_before(pairs: Sequence[tuple[int, Row]]) -> None:
    """The paid part as a payment that came before the import, applied on the day it was paid."""
    kind = db.session.scalars(sa.select(PaymentType).where(PaymentType.name == PAID_BEFORE)).one()
    paid = [(invoice_id, row, row["total"] - row["balance"]) for invoice_id, row in pairs]
    payments = _insert(
        Payment,
        [
            {"customer_id": row["customer_id"], "type_id": kind.id, "amount": amount,
             "unapplied": ZERO, "received_on": row["paid_on"],
             "external_key": f"invoice:{row['key']}:paid"}
            for _invoice_id, row, amount in paid
        ],
    )  # fmt: skip
    applications = _insert(
        PaymentApplication,
        [
            {"payment_id": payment_id, "invoice_id": invoice_id, "amount": amount,
             "applied_on": row["paid_on"]}
            for payment_id, (invoice_id, row, amount) in zip(payments, paid, strict=True)
        ],
    )  # fmt: skip
    entries = []
    for payment_id, application_id, (invoice_id, row, amount) in zip(
        payments, applications, paid, strict=True
    ):
        day, who = row["paid_on"], row["customer_id"]
        entries += [
            Entry(day, f"Paid before import: {row['number']}", ("payment", payment_id),
                  [Leg(kind.account_id, amount), Leg(AccountRole.CUSTOMER_DEPOSITS, -amount, who)]),
            Entry(max(day, row["date"]), f"Payment applied to invoice {row['number']}",
                  ("paymentapplication", application_id),
                  [Leg(AccountRole.CUSTOMER_DEPOSITS, amount, who),
                   Leg(AccountRole.RECEIVABLE, -amount, who, invoice_id)]),
        ]  # fmt: skip
    post_entries(entries)


def _payments(rows: Sequence[Row]) -> None:
    types = payment_types()
    by_id = {one.id: one for one in types}
    for row in rows:
        money = ReceivedMoney(
            customer=db.session.get_one(Customer, row["customer_id"]),
            amount=row["amount"],
            type=by_id.get(row["type_id"], types[0]),
            on=row["date"],
            reference=row.get("reference") or "",
            external_key=row["key"],
        )
        invoice = db.session.get(Invoice, row["invoice_id"]) if row["invoice_id"] else None
        receive_payment(money, [(invoice, row["amount"])] if invoice else [])


def _names(ids: set[int]) -> dict[int, str]:
    found = db.session.execute(sa.select(Customer.id, Customer.name).where(Customer.id.in_(ids)))
    return dict(found.all())


def _record(kind: str, ids: Sequence[int]) -> None:
    record_many([Happening("imported", kind, row_id, "Brought in by import.") for row_id in ids])


SAVE: dict[ImportSubject, Callable[[Sequence[Row]], None]] = {
    ImportSubject.CUSTOMERS: _customers,
    ImportSubject.ITEMS: _items,
    ImportSubject.INVOICES: _invoices,
    ImportSubject.PAYMENTS: _payments,
}
