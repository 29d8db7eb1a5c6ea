"""Why a customer is left alone just now: one plain function over what is known.

Asked when a case is looked at, again when a reminder is written, again when it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from portal.kernel.money import ZERO, Money


@dataclass(frozen=True)
class Account:
    """A customer's account as the decision needs it, as of a day."""

    chaseable: Money  # due by now (or announced as due soon) and free to be asked for
    open: Money = ZERO  # the balances of the same invoices
    disputed: Money = ZERO
    on_its_way: Money = ZERO
    on_plans: str = ""
    credit: Money = ZERO  # not applied to anything yet
    active: bool = True
    on_hold: bool = False
    hold_because: str = ""
    paused_until: date | None = None
    paused_because: str = ""
    snoozed_until: date | None = None
    snoozed_because: str = ""
    promised_on: date | None = None  # the last open promise
    grace_days: int = 0


@dataclass(frozen=True)
class Wait:
    """The rule that says to wait, why, and until when; without a day: until something happens."""

    rule: str
    sentence: str
    until: date | None = None


def why_wait(account: Account, *, on: date) -> Wait | None:
    """The first reason to leave the customer alone that day, or None."""
    return next(_reasons(account, on), None)


def _reasons(account: Account, on: date) -> Iterator[Wait]:
    if not account.open:
        yield Wait("paid", "Nothing is due any more.")
    if not account.active:
        yield Wait("inactive", "The customer was deactivated or merged: a person decides.")
    if account.on_hold:
        because = _said(account.hold_because)
        yield Wait("hold", f"The account is on hold{because}.")
    yield from _for_some_days(account, on)
    yield from _about_the_money(account)


def _for_some_days(account: Account, on: date) -> Iterator[Wait]:
    if account.paused_until is not None and account.paused_until >= on:
        because = _said(account.paused_because)
        yield Wait(
            "paused",
            f"Reminders are paused until {account.paused_until}{because}.",
            account.paused_until,
        )
    if account.promised_on is not None:
        until = account.promised_on + timedelta(days=account.grace_days)
        if until >= on:
            yield Wait("promise", f"They promised to pay by {account.promised_on}.", until)
    if account.snoozed_until is not None and account.snoozed_until > on:
        because = _said(account.snoozed_because)
        yield Wait(
            "snoozed", f"Put off until {account.snoozed_until}{because}.", account.snoozed_until
        )


def _about_the_money(account: Account) -> Iterator[Wait]:
    if account.chaseable:
        if account.credit >= account.chaseable:
            yield Wait("credit", f"{account.credit} in credit is not applied yet: apply it first.")
        return
    if account.on_its_way:
        yield Wait("on its way", f"A payment of {account.on_its_way} is on its way.")
    if account.on_plans:
        yield Wait("plan", f"Payment plan {account.on_plans} is kept to.")
    if account.disputed:
        yield Wait("dispute", f"{account.disputed} is disputed.")


def _said(because: str) -> str:
    """A reason behind a colon, without the full stop the sentence brings along."""
    return f": {because.rstrip('. ')}" if because else ""
