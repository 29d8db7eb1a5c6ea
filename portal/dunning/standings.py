"""Flags of a customer: on hold, paused, bankrupt, attorney, wishes; and whose account it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date

import sqlalchemy as sa

from portal.access import Ability
from portal.audit import Happening, record, record_many
from portal.company import today
from portal.db import bump, db, insert_once
from portal.kernel.errors import InvalidFields
from portal.kernel.zones import is_zone
from portal.models import CollectionStanding, ContactWay, Customer, User

LONGEST_PAUSE = 365  # days


@dataclass(frozen=True)
class StandingWords:
    """The flags as typed; `represented` names the attorney, `zone` the customer's clock."""

    on_hold: bool = False
    hold_because: str = ""
    paused_until: date | None = None
    paused_because: str = ""
    bankrupt: bool = False
    represented: str = ""
    ceased: bool = False
    best_way: ContactWay | None = None
    zone: str = ""


def standing_of(customer_id: int) -> CollectionStanding:
    """The customer's flags; a row that says nothing special, not saved, where there is none."""
    return standings_of([customer_id]).get(customer_id) or CollectionStanding(
        customer_id=customer_id, version=0, on_hold=False, hold_because="", paused_because="",
        bankrupt=False, represented="", ceased=False, zone="",
    )  # fmt: skip


def standings_of(customer_ids: Collection[int]) -> Mapping[int, CollectionStanding]:
    """By customer, only those that have a row."""
    rows = db.session.scalars(
        sa.select(CollectionStanding).where(CollectionStanding.customer_id.in_(customer_ids))
    )
    return {one.customer_id: one for one in rows}


def change_standing(customer: Customer, words: StandingWords, *, version: int) -> None:
    """Save the flags; `version` is 0 where there were none yet.

    Raises InvalidFields for a hold without a reason, a pause too far away, an unknown zone;
    Conflict on an old version.
    """
    _check(words)
    row = standings_of([customer.id]).get(customer.id)
    if row is None:
        insert_once(CollectionStanding(customer_id=customer.id))
        row = standings_of([customer.id])[customer.id]
        version = row.version if version == 0 else version
    bump(row, version)
    before = _plain(row)
    for one in fields(words):
        value = getattr(words, one.name)
        setattr(row, one.name, value.strip() if isinstance(value, str) else value)
    row.best_way = words.best_way
    if not row.on_hold:
        row.hold_because = ""
    if row.paused_until is None:
        row.paused_because = ""
    after = _plain(row)
    changed = {name: [before[name], new] for name, new in after.items() if before[name] != new}
    if changed:
        record("flagged", customer, f"What collections know of {customer.name} changed.", changed)


def assign_collector(customers: Collection[Customer], collector: User | None) -> int:
    """Give accounts to a collector, or to nobody; returns how many changed hands.

    Raises InvalidFields for somebody who may not work on collections, or left.
    """
    if collector is not None and not may_collect(collector):
        raise InvalidFields({"collector_id": f"{collector.name} may not work on collections."})
    moved = [one for one in customers if one.collector_id != (collector.id if collector else None)]
    name = collector.name if collector else None
    happenings = []
    for one in moved:
        before = one.collector.name if one.collector else None
        one.collector = collector
        sentence = f"{name} collects from now on." if name else "Nobody collects any more."
        happenings.append(
            Happening("assigned", "customer", one.id, sentence, {"collector": [before, name]})
        )
    record_many(happenings)
    return len(moved)


def collectors() -> list[User]:
    """The active people who may work on collections, by name."""
    people = db.session.scalars(sa.select(User).where(User.active).order_by(User.name))
    return [one for one in people if may_collect(one)]


def managers() -> list[User]:
    """The active people who may manage collections, by name."""
    people = db.session.scalars(sa.select(User).where(User.active).order_by(User.name))
    return [one for one in people if Ability.MANAGE_COLLECTIONS in one.role.abilities]


def may_collect(user: User) -> bool:
    return user.active and Ability.WORK_COLLECTIONS in user.role.abilities


def _check(words: StandingWords) -> None:
    errors = {}
    if words.on_hold and not words.hold_because.strip():
        errors["hold_because"] = "Say why the account is on hold."
    if words.paused_until is not None:
        days = (words.paused_until - today()).days
        if not 0 <= days <= LONGEST_PAUSE:
            errors["paused_until"] = f"Choose a day from today to {LONGEST_PAUSE} days from now."
        elif not words.paused_because.strip():
            errors["paused_because"] = "Say why reminders are paused."
    if words.zone.strip() and not is_zone(words.zone.strip()):
        errors["zone"] = "There is no such time zone. Write one such as America/Denver."
    if errors:
        raise InvalidFields(errors)


def _plain(row: CollectionStanding) -> dict[str, object]:
    values = {one.name: getattr(row, one.name) for one in fields(StandingWords)}
    return {name: str(one) if isinstance(one, date) else one for name, one in values.items()}
