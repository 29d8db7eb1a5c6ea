"""Money given back that came back to us: the refund failed, or a lost dispute was won after all."""

from __future__ import annotations

from datetime import date

from portal.audit import record
from portal.db import claim, db, lock_rows
from portal.ledger import next_open_day, reverse_entry
from portal.models import Payment
from portal.payments.returning import live_entry


def undo_refund(given: Payment, *, on: date, because: str) -> bool:
    """The money is the customer's credit again, from `on` or the first later open day.

    What the refund took off an invoice stays owed and is credit now; a refund document made
    with it stays and its credit waits to be paid out another way. Whatever its state: what
    came back is always recorded. False when it was undone before. Commits nothing.
    """
    row, money = given.refunds, given.gives_back
    assert row is not None
    assert money is not None
    lock_rows(Payment, [given.id, row.id, money.id])
    if given.returned_on is not None:
        return False
    day = next_open_day(max(on, given.received_on))
    row.unapplied -= given.amount
    db.session.flush()
    reverse_entry(live_entry(given), on=day, memo=f"Refund came back: {because}")
    claim(given, returned_on=day, returned_because=because)
    record("came back", given, f"{-given.amount} came back on {day.isoformat()}: {because}.")
    for one in dict.fromkeys((row, money)):
        record("refund came back", one, f"The refund of {-given.amount} came back: {because}.")
    return True
