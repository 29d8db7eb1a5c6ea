"""Whether a customer gets a statement, and which way: one function with the reason in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portal.kernel.money import ZERO
from portal.models import Customer, Delivery, StatementWay
from portal.statements.computing import Account

BY_MAIL = (Delivery.MAIL, Delivery.BOTH)


@dataclass(frozen=True)
class Decision:
    """Where it goes. With neither an address nor paper, `why` is the reason it is left out."""

    to: Sequence[str] = ()
    prints: bool = False
    why: str = ""

    @property
    def leaves(self) -> bool:
        return bool(self.to) or self.prints


def way_for(
    customer: Customer,
    way: StatementWay,
    addresses: Collection[str],
    bounced: Mapping[str, str],
) -> Decision:
    """Where a statement of this customer can go. `why` tells as well what is missing of two ways.

    Who prefers text messages gets mail: a statement does not fit into a text.
    """
    if not customer.active:
        return Decision(why=f"{customer.name} is not active any more.")
    good = [one for one in addresses if one.lower() not in bounced]
    preferred = way is StatementWay.AS_PREFERRED
    mails = way in (StatementWay.EMAIL, StatementWay.BOTH) or (
        preferred and customer.delivery is not Delivery.MAIL
    )
    prints = way in (StatementWay.PRINT, StatementWay.BOTH) or (
        preferred and customer.delivery in BY_MAIL
    )
    missing = []
    if mails and not good:
        missing.append(_no_mail(addresses, bounced))
    if prints and not has_postal_address(customer):
        missing.append("There is no postal address.")
        prints = False
    return Decision(good if mails else (), prints, " ".join(missing))


def has_postal_address(customer: Customer) -> bool:
    """Enough for an envelope."""
    return bool(customer.street and customer.city)


def nothing_to_say(account: Account, *, credit_only: bool) -> str:
    """Why there is nothing to send, or an empty text."""
    if account.standing.items or account.standing.due > ZERO:
        return ""
    if account.activity and account.activity.lines and not account.standing.due:
        return ""  # balance forward: paid in full within the range is worth telling
    if account.standing.due < ZERO:
        return "" if credit_only else "There is only credit, and those are left out."
    return "Nothing is open."


def too_soon(newest: date | None, weeks: int, on: date) -> str:
    """Why another statement would come too soon, or an empty text."""
    if weeks and newest is not None and (on - newest).days < weeks * 7:
        return f"The last statement was sent on {newest.isoformat()}, less than {weeks} weeks ago."
    return ""


def _no_mail(addresses: Collection[str], bounced: Mapping[str, str]) -> str:
    for one in addresses:
        if one.lower() in bounced:
            return f"Mail to {one} came back: {bounced[one.lower()]}"
    return "There is no email address."
