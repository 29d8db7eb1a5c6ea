"""Why a score is what it is: the facts that moved it most, and their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.company import company, format_money
from portal.kernel.money import Money


@dataclass(frozen=True)
class Reason:
    """One fact and whether it makes payment less likely; `values` are what its words say."""

    about: str
    raises: bool
    values: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        return {"about": self.about, "raises": self.raises, "values": list(self.values)}


def reasons_from(stored: Sequence[Mapping[str, Any]]) -> list[Reason]:
    """Reasons as they were kept with a score."""
    return [Reason(one["about"], one["raises"], tuple(one["values"])) for one in stored]


def reason_words(reason: Reason) -> str:
    """A reason as a collector would say it, e.g. "42 days past due"."""
    values = reason.values
    words: str = WORDING[reason.about](*values)
    return words


def _age(days: float) -> Any:
    if days <= 0:
        return _("not due yet") if days < 0 else _("due today")
    return ngettext("one day past due", "%(num)s days past due", int(days))


def _habit(late: float, settled: float) -> Any:
    if not settled:
        return _("no invoice of this customer was settled yet")
    return _("%(l)s of %(n)s earlier invoices were paid late", l=int(late), n=int(settled))


def _delay(days: float) -> Any:
    if round(days) <= 0:
        return _("usually pays by the due date")
    return ngettext(
        "lately paid about one day late", "lately paid about %(num)s days late", round(days)
    )


def _experience(settled: float) -> Any:
    if not settled:
        return _("a new customer")
    return ngettext("one invoice settled so far", "%(num)s invoices settled so far", int(settled))


def _others(count: float) -> Any:
    if count <= 0:
        return _("nothing else is past due")
    return ngettext(
        "another invoice is past due", "%(num)s other invoices are past due", int(count)
    )


def _silence(days: float) -> Any:
    if days < 0:
        return _("never paid anything yet")
    return ngettext(
        "last paid a day ago", "last paid %(num)s days ago", int(days)
    ) if days else _("paid today")  # fmt: skip


def _part(share: float) -> Any:
    if share <= 0:
        return _("nothing of it is paid yet")
    return _("%(p)s%% of it is paid", p=round(share * 100))


def _amount(cents: float) -> Any:
    amount = format_money(Money(int(cents)), company().locale, company().currency)
    return _("%(a)s is open on it", a=amount)


def _business(is_business: float) -> Any:
    return _("a business") if is_business else _("a private customer")


WORDING: dict[str, Any] = {
    "age": _age,
    "habit": _habit,
    "delay": _delay,
    "experience": _experience,
    "others": _others,
    "silence": _silence,
    "part": _part,
    "amount": _amount,
    "business": _business,
}
