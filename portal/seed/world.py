"""The demo's people, places and prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import sqlalchemy as sa

from portal.access import Ability, PersonWords, RoleWords, add_person, add_role, roles
from portal.access.abilities import ROLES
from portal.company import CompanyWords, add_business_unit, change_company, company
from portal.customers import (
    ContactWords,
    CustomerWords,
    LocationWords,
    add_contact,
    add_customer,
    add_location,
)
from portal.db import db
from portal.kernel.numbers import Rate, UnitPrice
from portal.ledger import active_accounts
from portal.models import (
    AccountKind,
    BusinessUnit,
    Customer,
    CustomerType,
    ItemKind,
    PaymentTerm,
    PriceBookItem,
    TaxBase,
    TaxClass,
    TaxZone,
    User,
)
from portal.pricebook import ItemWords, add_item, set_customer_price
from portal.taxes import RateWords, add_zone, map_postal_code

K, C = ItemKind, TaxClass
ITEMS = [  # code, name, kind, price, cost, tax class, unit, account
    ("LAB-HVAC", "HVAC labor", K.SERVICE, "135", "52", C.LABOR, "h", "4010"),
    ("LAB-PLUMB", "Plumbing labor", K.SERVICE, "125", "48", C.LABOR, "h", "4010"),
    ("LAB-ELEC", "Electrical labor", K.SERVICE, "130", "50", C.LABOR, "h", "4010"),
    ("DIAG", "Diagnostic visit", K.SERVICE, "89", "30", C.LABOR, "each", "4000"),
    ("TUNE-UP", "Seasonal tune-up", K.SERVICE, "149", "45", C.LABOR, "each", "4000"),
    ("DRAIN", "Drain cleaning", K.SERVICE, "195", "60", C.LABOR, "each", "4000"),
    ("TRIP", "Trip charge", K.FEE, "45", "12", C.TRIP, "each", "4000"),
    ("DISPOSAL", "Disposal of old equipment", K.FEE, "60", "25", C.DISPOSAL, "each", "4000"),
    ("FILTER-16", "Air filter 16×25×1", K.MATERIAL, "18.50", "6.20", C.MATERIAL, "each", "4020"),
    ("CAP-45", "Run capacitor 45 µF", K.MATERIAL, "64", "11.75", C.MATERIAL, "each", "4020"),
    ("R410A", "Refrigerant R-410A", K.MATERIAL, "92", "31", C.MATERIAL, "lb", "4020"),
    ("VALVE-34", "Ball valve ¾″", K.MATERIAL, "38.25", "12.40", C.MATERIAL, "each", "4020"),
    ("COPPER-34", "Copper pipe ¾″", K.MATERIAL, "9.85", "4.10", C.MATERIAL, "ft", "4020"),
    ("BREAKER-20", "Breaker 20 A", K.MATERIAL, "27.90", "8.80", C.MATERIAL, "each", "4020"),
    ("GFCI", "GFCI outlet", K.MATERIAL, "34", "13.60", C.MATERIAL, "each", "4020"),
    ("COND-3T", "Condenser 3 ton", K.EQUIPMENT, "3850", "2210", C.MATERIAL, "each", "4030"),
    ("WH-50", "Water heater 50 gal", K.EQUIPMENT, "1480", "790", C.MATERIAL, "each", "4030"),
    ("PANEL-200", "Panel 200 A", K.EQUIPMENT, "1190", "540", C.MATERIAL, "each", "4030"),
    ("SENIOR", "Senior discount", K.DISCOUNT, "25", "0", C.OTHER, "each", None),
]
TRADES = {
    "Heating & Cooling": ["LAB-HVAC", "TUNE-UP", "FILTER-16", "CAP-45", "R410A", "COND-3T"],
    "Plumbing": ["LAB-PLUMB", "DRAIN", "VALVE-34", "COPPER-34", "WH-50"],
    "Electrical": ["LAB-ELEC", "DIAG", "BREAKER-20", "GFCI", "PANEL-200"],
}
CONTROLLER = "Controller"  # the second pair of eyes: releases what others ask for
PEOPLE = [
    ("Olive Ostrander", "olive@demo.example", "Administrator", False),
    ("Abel Accorsi", "abel@demo.example", "Accountant", False),
    ("Carla Cole", "carla@demo.example", "Collector", False),
    ("Ines Ibarra", "ines@demo.example", "Office", False),
    ("Tom Tucker", "tom@demo.example", "Technician", True),
    ("Tess Tran", "tess@demo.example", "Technician", True),
    ("Theo Thibault", "theo@demo.example", "Technician", True),
    ("Fay Fontana", "fay@demo.example", CONTROLLER, False),
]
PLACES = [
    ("Seattle", "WA", ["98101", "98103", "98115", "98118"], "Seattle"),
    ("Bellevue", "WA", ["98004", "98006"], "Bellevue"),
    ("Tacoma", "WA", ["98402", "98405"], "Tacoma"),
]
FIRST = (
    "Ada",
    "Bo",
    "Cleo",
    "Dov",
    "Elsa",
    "Finn",
    "Gia",
    "Hugo",
    "Isla",
    "Jude",
    "Kai",
    "Lena",
    "Milo",
    "Nora",
    "Omar",
    "Pia",
    "Quinn",
    "Rosa",
    "Sami",
    "Tove",
)
LAST = (
    "Abbott",
    "Brandt",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fontaine",
    "Garcia",
    "Hughes",
    "Ito",
    "Jansen",
    "Kovac",
    "Lindqvist",
)
FIRMS = (
    "Harbor Dental",
    "Pine Street Bakery",
    "Evergreen Property Management",
    "Northgate Storage",
    "Cedar Books",
    "Maple Grove HOA",
    "Lakeside Veterinary",
    "Union Coffee Roasters",
    "St. Brigid's School",
    "Rainier Fitness",
)
STREETS = (
    "Maple Ave", "Pine St", "Lakeview Dr", "Cedar Ct", "Harrison St", "Aurora Ave",
    "Rainier Blvd", "Elm Way",
)  # fmt: skip


@dataclass
class World:
    """What the story is told with."""

    customers: list[Customer]
    items: dict[str, PriceBookItem]
    technicians: list[User]
    units: dict[str, BusinessUnit]


def make_world(random: Random) -> World:
    """Company, staff, price book, taxes and sixty customers."""
    _company()
    more = {Ability.APPROVE_REFUNDS, Ability.APPROVE_INVOICES, Ability.OPEN_PERIODS}
    may = ROLES["Accountant"] | more
    add_role(RoleWords(CONTROLLER, may))
    db.session.flush()
    people = {role.name: role for role in roles()}
    staff = [
        add_person(PersonWords(name, email, people[role], is_technician=tech))
        for name, email, role, tech in PEOPLE
    ]
    zones = _zones()
    items = _items()
    units = {name: add_business_unit(name) for name in TRADES}
    customers = [_customer(random, number, zones) for number in range(60)]
    agreed = next(one for one in customers if one.name == "Evergreen Property Management")
    set_customer_price(agreed, items["LAB-HVAC"], UnitPrice.of("112"))
    set_customer_price(agreed, items["LAB-PLUMB"], UnitPrice.of("105"))
    return World(customers, items, [one for one in staff if one.is_technician], units)


def _company() -> None:
    words = CompanyWords(
        name="Cascade Home Services",
        street="410 Terry Ave N",
        city="Seattle",
        region="WA",
        postal_code="98109",
        phone="(206) 555-0140",
        email="billing@cascade.example",
        website="www.cascade.example",
        brand_color="#0b5f8a",
        invoice_message="Thank you for letting us look after your home.\nCall us with questions.",
        remit_to="Cascade Home Services\nPO Box 1188\nSeattle, WA 98111",
        zone="America/Los_Angeles",
    )
    change_company(words, version=company().version)


def _zones() -> dict[str, TaxZone]:
    since = date(2020, 1, 1)
    state = RateWords("Washington State", TaxBase.SUBTOTAL, Rate.percent("6.5"), since)
    local = {"Seattle": "3.85", "Bellevue": "3.6", "Tacoma": "3.8"}
    zones = {}
    for _city, _region, codes, name in PLACES:
        city_rate = RateWords(f"City of {name}", TaxBase.SUBTOTAL, Rate.percent(local[name]), since)
        zones[name] = add_zone(name=name, rates=[state, city_rate])
        db.session.flush()
        for code in codes:
            map_postal_code(code, zones[name])
    map_postal_code(company().postal_code, zones["Seattle"])  # who walks in is taxed at the shop
    return zones


def _items() -> dict[str, PriceBookItem]:
    accounts = {one.number: one.id for one in active_accounts(AccountKind.INCOME)}
    return {
        code: add_item(
            ItemWords(
                code=code,
                name=name,
                kind=kind,
                unit_price=UnitPrice.of(price),
                unit_cost=UnitPrice.of(cost),
                tax_class=tax_class,
                unit=unit,
                taxable=kind is not ItemKind.FEE or code != "TRIP",
                income_account_id=accounts.get(account) if account else None,
            )
        )
        for code, name, kind, price, cost, tax_class, unit, account in ITEMS
    }


def _customer(random: Random, number: int, zones: dict[str, TaxZone]) -> Customer:
    firm = number % 6 == 5
    name = FIRMS[number // 6] if firm else f"{FIRST[number % 20]} {LAST[number % 12]}"
    first = FIRST[number % 20].lower()
    email = "ada@customer.example" if number == 0 else f"{first}{number}@customer.example"
    city, region, codes, zone = PLACES[number % 3]
    place: dict[str, Any] = {
        "street": f"{random.randint(10, 9800)} {random.choice(STREETS)}",
        "city": city, "region": region, "postal_code": random.choice(codes),
    }  # fmt: skip
    customer = add_customer(
        CustomerWords(
            name=name, email=email, phone=f"(206) 555-{100 + number:04}",
            customer_type_id=_type("Commercial" if firm else "Residential").id,
            term_id=_term("Net 30").id if firm else None,
            language="es" if number % 17 == 3 else "en", **place,
        ),
        tags=["preferred"] if number % 9 == 0 else [],
    )  # fmt: skip
    add_location(customer, LocationWords(tax_zone_id=zones[zone].id, **place))
    add_contact(
        customer,
        ContactWords(
            name=name if not firm else f"Accounts payable, {name}",
            email=email,
            phone=customer.phone,
        ),
    )
    db.session.flush()
    return customer


def _type(name: str) -> CustomerType:
    row = db.session.scalar(sa.select(CustomerType).where(CustomerType.name == name))
    if row is None:
        row = CustomerType(name=name, is_business=name == "Commercial")
        db.session.add(row)
        db.session.flush()
    return row


def _term(name: str) -> PaymentTerm:
    return db.session.scalars(sa.select(PaymentTerm).where(PaymentTerm.name == name)).one()
