"""Statements as figures: open item as of a day, or balance forward over a range."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.models import Customer, StatementKind
from portal.receivables import Activity, activity_between
from portal.statements.standing import Standing, standing_of

LONGEST = timedelta(days=366 * 10)


@dataclass(frozen=True)
class StatementWanted:
    """Which statement: `starts_on` only for balance forward."""

    kind: StatementKind
    ends_on: date
    starts_on: date | None = None


@dataclass(frozen=True)
class Account:
    """A customer's statement before it is put in words.

    opening + charges − credits = closing, and closing is what the standing of the last day adds
    up to, found another way; `account_of` refuses to make one where the two differ.
    """

    customer: Customer
    wanted: StatementWanted
    standing: Standing
    activity: Activity | None

    @property
    def opening(self) -> Money:
        return self.activity.opening if self.activity else ZERO

    @property
    def charges(self) -> Money:
        return self.activity.charges if self.activity else self.standing.aging.total

    @property
    def credits(self) -> Money:
        if self.activity:
            return self.activity.credits
        return self.standing.aging.total - self.standing.balance

    @property
    def closing(self) -> Money:
        return self.opening + self.charges - self.credits

    @property
    def is_empty(self) -> bool:
        """Nothing open, nothing in credit, and nothing happened."""
        moved = bool(self.activity and (self.activity.lines or self.activity.opening))
        return not moved and not self.standing.items and not self.standing.balance


def check_wanted(wanted: StatementWanted) -> StatementWanted:
    """InvalidFields for a range that runs backwards, is missing, or is too long."""
    if wanted.kind is StatementKind.OPEN_ITEM:
        return StatementWanted(wanted.kind, wanted.ends_on)
    if wanted.starts_on is None:
        raise InvalidFields({"starts_on": "Say from which day the activity is shown."})
    if wanted.starts_on > wanted.ends_on:
        raise InvalidFields({"starts_on": "The first day lies after the last one."})
    if wanted.ends_on - wanted.starts_on > LONGEST:
        raise InvalidFields({"starts_on": "A statement covers ten years at most."})
    return wanted


def account_of(customer: Customer, wanted: StatementWanted) -> Account:
    """The figures of one customer's statement, as of the last day, never from today's balances.

    Raises InvalidFields for a range that is none, DomainError when opening and activity do not
    come to what is open: then the books are broken, and nothing wrong may leave the house.
    """
    wanted = check_wanted(wanted)
    standing = standing_of(customer.id, on=wanted.ends_on)
    activity = None
    if wanted.kind is StatementKind.BALANCE_FORWARD and wanted.starts_on:
        activity = activity_between(customer.id, wanted.starts_on, wanted.ends_on)
    account = Account(customer, wanted, standing, activity)
    if account.closing != standing.balance:
        raise DomainError(
            f"The statement does not add up: opening and activity come to {account.closing}, "
            f"what is open to {standing.balance}. Run verify-books."
        )
    return account
