"""The chart of accounts and the accounts the house posts to by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.audit import record, record_changes
from portal.db import Page, PageRequest, bump, db, holds, is_taken, paginate
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.models import Account, AccountKind, AccountRole, ItemKind

DEFAULT_CHART: list[tuple[str, str, AccountKind, AccountRole | None]] = [
    ("1010", "Checking", AccountKind.ASSET, AccountRole.CHECKING),
    ("1050", "Undeposited Funds", AccountKind.ASSET, AccountRole.UNDEPOSITED),
    (
        "1060",
        "Card Processor Clearing",
        AccountKind.ASSET,
        AccountRole.GATEWAY_CLEARING,
    ),
    (
        "1069",
        "TEST GATEWAY Clearing (no money)",
        AccountKind.ASSET,
        AccountRole.TEST_CLEARING,
    ),
    ("1070", "Disputed Payments", AccountKind.ASSET, AccountRole.DISPUTED),
    ("1200", "Accounts Receivable", AccountKind.ASSET, AccountRole.RECEIVABLE),
    ("2200", "Sales Tax Payable", AccountKind.LIABILITY, AccountRole.SALES_TAX),
    ("2400", "Customer Deposits", AccountKind.LIABILITY, AccountRole.CUSTOMER_DEPOSITS),
    ("2420", "Refunds in Transit", AccountKind.LIABILITY, AccountRole.REFUNDS_IN_TRANSIT),
    ("2450", "Finance Clearing", AccountKind.LIABILITY, AccountRole.FINANCE_CLEARING),
    ("3900", "Opening Balance Equity", AccountKind.EQUITY, AccountRole.OPENING_BALANCE),
    ("4000", "Service Revenue", AccountKind.INCOME, AccountRole.REVENUE),
    ("4010", "Labor Revenue", AccountKind.INCOME, None),
    ("4020", "Material Revenue", AccountKind.INCOME, None),
    ("4030", "Equipment Revenue", AccountKind.INCOME, None),
    ("4800", "Interest and Late Fees", AccountKind.INCOME, AccountRole.INTEREST_INCOME),
    ("4900", "Discounts Given", AccountKind.INCOME, AccountRole.DISCOUNTS),
    ("6100", "Bad Debt Expense", AccountKind.EXPENSE, AccountRole.BAD_DEBT),
    ("6200", "Processing Fees", AccountKind.EXPENSE, AccountRole.PROCESSING_FEES),
]


INCOME_OF_KIND = {ItemKind.MATERIAL: "4020", ItemKind.EQUIPMENT: "4030"}


@dataclass(frozen=True)
class AccountFilter:
    """What the list of accounts is narrowed to."""

    q: str = ""
    kind: AccountKind | None = None
    active: bool | None = None


def ensure_chart() -> None:
    """Make the default accounts that are missing, by role or number; idempotent."""
    known = db.session.execute(sa.select(Account.number, Account.role)).all()
    numbers = {number for number, _ in known}
    roles = {role for _, role in known if role}
    for number, name, kind, role in DEFAULT_CHART:
        if number not in numbers and role not in roles:
            db.session.add(Account(number=number, name=name, kind=kind, role=role))
    db.session.flush()


def account_for(role: AccountRole) -> Account:
    """The account that plays this role. Raises LookupError before the chart exists."""
    account = db.session.get(Account, account_id_for(role))
    assert account is not None
    return account


def account_id_for(role: AccountRole) -> int:
    """Its id; remembered for the length of the session, so posting costs no look-ups."""
    ids: dict[AccountRole, int] = db.session.info.setdefault("account ids", {})
    if role not in ids:
        rows = db.session.execute(
            sa.select(Account.role, Account.id).where(Account.role.is_not(None))
        )
        ids.clear()
        ids.update({name: row_id for name, row_id in rows if name is not None})
    if role not in ids:
        raise LookupError(f"No account plays the role {role}: run `flask found`.")
    return ids[role]


def income_account_for(kind: ItemKind) -> int | None:
    """Where an item books that names no account of its own; None for the revenue account.

    By the numbers of the chart new installations begin with, while such an account is active.
    """
    known: dict[ItemKind, int | None] = db.session.info.setdefault("income accounts", {})
    if kind not in known:
        number = INCOME_OF_KIND.get(kind)
        query = sa.select(Account.id).where(
            Account.number == number, Account.active, Account.kind == AccountKind.INCOME
        )
        known[kind] = db.session.scalar(query) if number else None
    return known[kind]


def active_accounts(*kinds: AccountKind) -> list[Account]:
    """Active accounts by number, for choices in forms."""
    query = sa.select(Account).where(Account.active).order_by(Account.number)
    return list(db.session.scalars(query.where(Account.kind.in_(kinds)) if kinds else query))


def get_account(account_id: int) -> Account:
    """One account; NotFound otherwise."""
    account = db.session.get(Account, account_id)
    if account is None:
        raise NotFound("No such account.")
    return account


def find_accounts(wanted: AccountFilter, page: PageRequest) -> Page[Account]:
    query = sa.select(Account)
    if wanted.q:
        query = query.where(sa.or_(holds(Account.name, wanted.q), holds(Account.number, wanted.q)))
    if wanted.kind:
        query = query.where(Account.kind == wanted.kind)
    if wanted.active is not None:
        query = query.where(Account.active == wanted.active)
    sorts = {"number": Account.number, "name": Account.name, "kind": Account.kind}
    return paginate(query, page, sorts=sorts, default="number")


def add_account(*, number: str, name: str, kind: AccountKind) -> Account:
    """Add an account; InvalidFields when number or name is missing or taken."""
    _check(number.strip(), name.strip())
    account = Account(number=number.strip(), name=name.strip(), kind=kind)
    db.session.add(account)
    record("added", account, f"Account {account.number} {account.name} was added.")
    return account


def change_account(account: Account, *, version: int, number: str, name: str, active: bool) -> None:
    """Rename, renumber or deactivate. The kind never changes: entries depend on it.

    Raises Conflict on an old version, DomainError when the house itself needs the account.
    """
    bump(account, version)
    if account.role and not active:
        raise DomainError(
            f"{account.name} cannot be deactivated: entries are posted to it automatically.",
            field="active",
        )
    _check(number.strip(), name.strip(), account)
    db.session.info.pop("income accounts", None)
    before = _plain(account)
    account.number, account.name, account.active = number.strip(), name.strip(), active
    record_changes(account, f"Account {account.number} was changed.", before, _plain(account))


def _plain(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in ("number", "name", "active")}


def _check(number: str, name: str, account: Account | None = None) -> None:
    errors = {}
    for field, column, typed in (("number", Account.number, number), ("name", Account.name, name)):
        if not typed:
            errors[field] = f"Give the account a {field}."
        elif is_taken(column, typed, account):
            errors[field] = f"Another account already has this {field}."
    if errors:
        raise InvalidFields(errors)
