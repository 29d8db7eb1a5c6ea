"""The demo's late fees: agreed before the first invoice, looked for today, not yet charged."""

from __future__ import annotations

import sqlalchemy as sa

from portal.company import today
from portal.db import db, in_transaction
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.late_fees import (
    CHARGEABLE,
    FeeWords,
    exempt,
    look_at_fee_run,
    save_rule,
    set_limit,
    start_fee_run,
)
from portal.models import Customer, FeeBase, FeeFrequency, FeeShape, PaymentTerm
from portal.seed.world import World


def agree_late_fees(world: World) -> None:
    """Private customers pay once, firms by the month; Washington's consumers at most 12 %."""
    every = tuple(one.value for one in CHARGEABLE)
    once = FeeWords(
        active=True, shape=FeeShape.GREATER, flat=Money.of(15), rate=Rate.percent("1.5"),
        frequency=FeeFrequency.ONCE, base=FeeBase.PRINCIPAL, grace_days=10, kinds=every,
        cap=Rate.percent(5), applies_from=today(),
    )  # fmt: skip
    monthly = FeeWords(
        active=True, shape=FeeShape.PERCENT, flat=ZERO, rate=Rate.percent(18),
        frequency=FeeFrequency.MONTHLY, base=FeeBase.PRINCIPAL, grace_days=10, kinds=every,
        cap=Rate.percent(25), applies_from=today(),
    )  # fmt: skip
    save_rule(_term("Due upon receipt"), once)
    save_rule(_term("Net 30"), monthly)
    set_limit("WA", Rate.percent(12))
    school = next(one for one in world.customers if one.name == "St. Brigid's School")
    exempt(db.session.get_one(Customer, school.id), because="The board agreed to waive them")


def look_for_late_invoices() -> None:
    """A run that waits for somebody to go through it."""
    run_id = in_transaction(lambda: start_fee_run().id)
    look_at_fee_run(run_id)


def _term(name: str) -> PaymentTerm:
    return db.session.scalars(sa.select(PaymentTerm).where(PaymentTerm.name == name)).one()
