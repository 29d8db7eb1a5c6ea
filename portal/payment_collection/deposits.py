"""Payouts that reached the bank: booked from clearing to the bank account, as one deposit."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from portal.audit import record
from portal.company import company, today
from portal.db import bump, db
from portal.kernel.errors import InvalidFields
from portal.ledger import (
    Leg,
    account_for,
    active_accounts,
    entries_of,
    next_open_day,
    post_entry,
    reverse_entry,
)
from portal.models import (
    Account,
    AccountKind,
    AccountRole,
    BankDeposit,
    Company,
    Payout,
    PayoutState,
)
from portal.payment_collection.movements import clearing_of

TEST_BANK = ("1019", "TEST GATEWAY Bank (no money)")
HOUSE = frozenset(AccountRole) - {AccountRole.CHECKING}


def keep_deposit(payout: Payout) -> None:
    """Make books and deposit say what the payout's state says; idempotent.

    Paid: Dr the bank account, Cr clearing, dated the day it arrived or the next open day.
    Not (any more) paid: the entry is reversed and the deposit is none.
    """
    mine = sa.select(BankDeposit).where(BankDeposit.payout_id == payout.id)
    deposit = db.session.scalar(mine)
    arrived = payout.state is PayoutState.PAID
    if arrived and deposit is None:
        _book(payout)
    elif not arrived and deposit is not None:
        _take_back(payout, deposit)


def payout_account() -> Account:
    """The bank account payouts arrive in: the chosen one, else the one that plays Checking."""
    chosen = company().payout_account_id
    found = db.session.get(Account, chosen) if chosen else None
    return found if found is not None and found.active else account_for(AccountRole.CHECKING)


def bank_accounts() -> Sequence[Account]:
    """Accounts payouts may arrive in: assets the house uses for nothing else."""
    assets = active_accounts(AccountKind.ASSET)
    return [one for one in assets if one.role not in HOUSE and one.name != TEST_BANK[1]]


def choose_payout_account(account_id: int | None, *, version: int) -> None:
    """Later payouts arrive there. Raises InvalidFields, or Conflict on an old version."""
    row: Company = company()
    bump(row, version)
    names = {one.id: one.name for one in bank_accounts()}
    if account_id not in names:
        raise InvalidFields({"account_id": "Choose a bank account."})
    before, row.payout_account_id = payout_account().name, account_id
    record(
        "changed", row, f"Payouts arrive in {names[account_id]} from now on.",
        {"payout account": [before, names[account_id]]},
    )  # fmt: skip


def _book(payout: Payout) -> None:
    account = payout_account() if payout.livemode else _test_bank()
    on = next_open_day(min(payout.arrives_on, today()))
    memo = f"Payout {payout.payout_ref}"
    db.session.add(
        BankDeposit(
            account=account, deposited_on=on, amount=payout.amount, memo=memo, payout=payout
        )
    )
    clearing = clearing_of(payout.livemode)
    if payout.amount:
        legs = [Leg(account.id, payout.amount), Leg(clearing, -payout.amount)]
        post_entry(on=on, memo=memo, source=("payout", payout.id), legs=legs)


def _take_back(payout: Payout, deposit: BankDeposit) -> None:
    undone = {entry.reverses_id for entry in entries_of(payout)}
    for entry in entries_of(payout):
        if entry.reverses_id is None and entry.id not in undone:
            on = next_open_day(max(today(), entry.entry_date))
            reverse_entry(entry, on=on, memo=f"Payout {payout.payout_ref} came back")
    words = f"The deposit of {deposit.amount} in {deposit.account.name} is none."
    record("deposit withdrawn", payout, words)
    db.session.delete(deposit)
    db.session.flush()


def _test_bank() -> Account:
    """What the TEST GATEWAY pays out is no money: no real bank account ever holds it."""
    number, name = TEST_BANK
    known = db.session.scalar(sa.select(Account).where(Account.name == name))
    if known is not None:
        return known
    taken = db.session.scalar(sa.select(Account.id).where(Account.number == number))
    fresh = Account(number=f"{number}-TEST" if taken else number, name=name, kind=AccountKind.ASSET)
    db.session.add(fresh)
    db.session.flush()
    return fresh
