"""Whom to reach and what the guard has to know of them: addresses, clocks, wishes, history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.company import company
from portal.db import db
from portal.dunning.guarding import Permission, Reachable, Touch, may_contact
from portal.dunning.rules import contact_limits
from portal.dunning.standings import standing_of
from portal.invoices import billing_contacts
from portal.kernel import clock
from portal.kernel.addresses import normal_email, normal_mobile
from portal.kernel.zones import Zones, is_zone, zones_of_phone, zones_of_region
from portal.models import (
    Channel,
    Contact,
    ContactAttempt,
    ContactWay,
    Customer,
    Message,
    MessageState,
    OptOut,
)

REMINDER = "reminder"  # the kind of message the guard counts and checks
REMEMBERS = timedelta(days=60)  # no limit reaches further back
_WAITING = (MessageState.WAITING, MessageState.SENDING)


@dataclass(frozen=True)
class Address:
    """One way to somebody: a mailbox or a number in one form, and whose it is."""

    way: ContactWay
    value: str
    contact: Contact | None = None
    problem: str = ""  # why it cannot be used, in words

    @property
    def name(self) -> str:
        return self.contact.name if self.contact else ""


def addresses_of(customer: Customer, way: ContactWay) -> list[Address]:
    """Every address of that way, usable ones first; those that are not say why."""
    people: list[tuple[str, Contact | None]] = []
    for one in billing_contacts(customer):
        wanted = one.email if way is ContactWay.EMAIL else one.phone
        if wanted and (way is not ContactWay.SMS or one.is_mobile):
            people.append((wanted, one))
    fallback = customer.email if way is ContactWay.EMAIL else customer.phone
    last_resort = way is ContactWay.EMAIL and not people
    if fallback and (way is ContactWay.CALL or last_resort):
        people.append((fallback, None))
    found: dict[str, Address] = {}
    for typed, contact in people:
        address = _address(way, typed, contact)
        found.setdefault(address.value, address)
    return sorted(found.values(), key=lambda address: bool(address.problem))


def why_unreachable(customer: Customer, way: ContactWay) -> str:
    """Why nobody can be reached that way, in words; empty when somebody can."""
    found = addresses_of(customer, way)
    if any(not one.problem for one in found):
        return ""
    if found:
        return found[0].problem
    if way is ContactWay.EMAIL:
        return f"{customer.name} has no email address."
    if way is ContactWay.SMS:
        return f"No contact of {customer.name} has a phone that is marked as mobile."
    return f"{customer.name} has no telephone number."


def permission(
    customer: Customer, address: Address, *, at: datetime | None = None, before: int | None = None
) -> Permission:
    """May this address be used now; `before` is a message that waits, which counts not itself."""
    touches = touches_of(customer.id, before=before)
    return may_contact(
        address.way, reachable(customer, address), touches, contact_limits(), now=at or clock.now()
    )


def reachable(customer: Customer, address: Address) -> Reachable:
    """The guard's facts of one customer at one address."""
    flags = standing_of(customer.id)
    return Reachable(
        zones=zones_of(customer, address.value if address.way is not ContactWay.EMAIL else ""),
        opted_out=opted_out(customer.id, address.value),
        only_way=flags.best_way,
        bankrupt=flags.bankrupt,
        represented=flags.represented,
        ceased=flags.ceased,
    )


def zones_of(customer: Customer, number: str = "") -> Zones:
    """Every clock that counts: the customer's place or named zone, and the phone's area code."""
    named = standing_of(customer.id).zone
    place = frozenset({named}) if is_zone(named) else _place(customer)
    return (place | zones_of_phone(number)) or frozenset({company().zone})


def opted_out(customer_id: int, address: str) -> frozenset[ContactWay]:
    """What this customer, or whoever has this address, does not want."""
    query = sa.select(OptOut.way).where(
        OptOut.ended_at.is_(None),
        sa.or_(
            sa.and_(OptOut.address == address, OptOut.address != ""),
            sa.and_(OptOut.customer_id == customer_id, OptOut.address == ""),
        ),
    )
    return frozenset(db.session.scalars(query))


def touches_of(customer_id: int, *, before: int | None = None) -> list[Touch]:
    """What went out to the customer lately, what waits in the outbox, and when they called us."""
    since = clock.now() - REMEMBERS
    attempts = db.session.scalars(
        sa.select(ContactAttempt).where(
            ContactAttempt.customer_id == customer_id,
            ContactAttempt.at > since,
            sa.or_(~ContactAttempt.inbound, ContactAttempt.way == ContactWay.CALL),
        )
    )
    waiting = sa.select(Message.channel, Message.created_at).where(
        Message.customer_id == customer_id,
        Message.kind == REMINDER,
        Message.state.in_(_WAITING),
    )
    if before is not None:
        waiting = waiting.where(Message.id < before)
    return [
        *(Touch(one.way, one.at, one.is_conversation, not one.inbound) for one in attempts),
        *(Touch(ContactWay(channel), at) for channel, at in db.session.execute(waiting)),
    ]


def _address(way: ContactWay, typed: str, contact: Contact | None) -> Address:
    try:
        value = normal_email(typed) if way is ContactWay.EMAIL else normal_mobile(typed)
    except ValueError as misfit:
        return Address(way, typed, contact, f"“{typed}” cannot be used: {misfit}")
    return Address(way, value, contact)


def _place(customer: Customer) -> Zones:
    """Where the customer is: the bill's address, else where the work is done."""
    found = zones_of_region(customer.region, customer.country)
    places: Sequence[Zones] = [
        zones_of_region(one.region, one.country) for one in customer.locations if one.active
    ]
    return found or frozenset().union(*places)


def channel_of(way: ContactWay) -> Channel:
    return Channel.SMS if way is ContactWay.SMS else Channel.EMAIL
