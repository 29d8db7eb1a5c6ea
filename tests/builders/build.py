"""One `build` object with believable defaults; a test names only what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any

import sqlalchemy as sa
from flask import current_app

from portal.access import PersonWords, add_person, roles
from portal.customers import (
    ContactWords,
    CustomerWords,
    LocationWords,
    add_contact,
    add_customer,
    add_location,
)
from portal.db import db
from portal.invoices import (
    LineWords,
    ManualInvoice,
    add_line,
    pay_link_url,
    post_invoice,
    start_manual_invoice,
)
from portal.jobs import JobWords, LogWords, add_log, book_job
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, Rate, UnitPrice
from portal.models import (
    Consent,
    ConsentKind,
    Customer,
    Invoice,
    ItemKind,
    Job,
    Location,
    MethodKind,
    Payment,
    PaymentTerm,
    PriceBookItem,
    SavedMethod,
    TaxBase,
    TaxZone,
    User,
)
from portal.payment_collection.gateway import PayerOrder, SetupOrder
from portal.payments import ReceivedMoney, payment_types, receive_payment
from portal.pricebook import ItemWords, add_item
from portal.taxes import RateWords, add_zone


@dataclass
class Build:
    """Makes rows through the services, flushed but not committed."""

    today: date = date(2026, 3, 2)
    _next: count[int] = field(default_factory=lambda: count(1))

    def person(self, name: str = "Olive Office", *, email: str = "", role: str = "Administrator",
               password: str = "", is_technician: bool = False) -> User:  # fmt: skip
        found = next(one for one in roles() if one.name == role)
        words = PersonWords(name, email or f"staff{next(self._next)}@acme.example", found,
                            is_technician=is_technician)  # fmt: skip
        user = add_person(words, password=password)
        db.session.flush()
        return user

    def zone(self, *percents: str, name: str = "") -> TaxZone:
        rates = [
            RateWords(f"Authority {n}", TaxBase.SUBTOTAL, Rate.percent(percent), date(2020, 1, 1))
            for n, percent in enumerate(percents)
        ]
        zone = add_zone(name=name or f"Zone {next(self._next)}", rates=rates)
        db.session.flush()
        return zone

    def customer(self, name: str = "Ada Lovelace", *, email: str = "", **words: Any) -> Customer:
        number = next(self._next)
        email = email or f"customer{number}@example.org"
        customer = add_customer(CustomerWords(name=name, email=email, **words))
        add_contact(customer, ContactWords(name=name, email=email))
        db.session.flush()
        return customer

    def location(
        self, customer: Customer | None = None, *, zone: TaxZone | None = None
    ) -> Location:
        words = LocationWords(
            street=f"{next(self._next)} Main St",
            city="Springfield",
            region="IL",
            postal_code="62701",
            tax_zone_id=zone.id if zone else None,
        )
        location = add_location(customer or self.customer(), words)
        db.session.flush()
        return location

    def item(self, price: str = "100", *, code: str = "", kind: ItemKind = ItemKind.SERVICE,
             **words: Any) -> PriceBookItem:  # fmt: skip
        number = next(self._next)
        item = add_item(ItemWords(code=code or f"ITEM-{number}", name=f"Item {number}", kind=kind,
                                  unit_price=UnitPrice.of(price), **words))  # fmt: skip
        db.session.flush()
        return item

    def invoice(self, *prices: str, customer: Customer | None = None, on: date | None = None,
                location: Location | None = None, term: str = "") -> Invoice:  # fmt: skip
        invoice = start_manual_invoice(
            ManualInvoice(
                customer=customer or (location.customer if location else self.customer()),
                location=location,
                invoice_date=on or self.today,
                term=self.term(term) if term else None,
            )
        )
        db.session.flush()
        for price in prices:
            add_line(
                invoice,
                LineWords(
                    description="Labor", quantity=Quantity.of(1), unit_price=UnitPrice.of(price)
                ),
            )
        db.session.flush()
        return invoice

    def posted(self, *prices: str, **words: Any) -> Invoice:
        invoice = self.invoice(*(prices or ("100",)), **words)
        post_invoice(invoice)
        return invoice

    def term(self, name: str) -> PaymentTerm:
        return db.session.scalars(sa.select(PaymentTerm).where(PaymentTerm.name == name)).one()

    def payment(self, customer: Customer, amount: str, *invoices: Invoice, on: date | None = None,
                **words: Any) -> Payment:  # fmt: skip
        money = ReceivedMoney(customer=customer, amount=Money.of(amount), type=payment_types()[0],
                              on=on or self.today, **words)  # fmt: skip
        return receive_payment(money, [(one, one.balance) for one in invoices])

    def saved_method(self, customer: Customer, behaviour: str = "card", *,
                     primary: bool = True) -> SavedMethod:  # fmt: skip
        """A method kept at the TEST GATEWAY that behaves so (its BEHAVIOURS); commits."""
        order = PayerOrder(f"setup-{next(self._next)}", customer.name)
        db.session.commit()
        door = current_app.extensions["gateway"]
        payer = door.know_payer(order)
        page = door.open_setup(SetupOrder(order.reference, payer, "USD", "/"))
        door.press_setup(page.session_ref, behaviour)
        seen = door.look_up_setup(page.session_ref).method
        consent = Consent(customer=customer, kind=ConsentKind.SAVE_METHOD, text="Keep my card.",
                          given_by=customer.name)  # fmt: skip
        method = SavedMethod(
            customer=customer, gateway=door.name, livemode=door.livemode, customer_ref=payer,
            method_ref=seen.method_ref, kind=MethodKind(seen.kind), brand=seen.brand,
            last4=seen.last4, expires_on=seen.expires_on, is_primary=primary, consent=consent,
        )  # fmt: skip
        db.session.add(method)
        db.session.commit()
        return method

    def job(self, *, location: Location | None = None, items: tuple[PriceBookItem, ...] = (),
            summary: str = "Fix the furnace") -> Job:  # fmt: skip
        job = book_job(JobWords(location=location or self.location(), summary=summary))
        for item in items:
            add_log(job, LogWords(quantity=Quantity.of(1), item=item))
        db.session.flush()
        return job

    def pay_path(self, invoice: Invoice) -> str:
        """The path of the invoice's guest link."""
        url = pay_link_url(invoice)
        db.session.commit()
        return url.removeprefix("http://localhost")
