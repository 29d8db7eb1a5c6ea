"""The company's currency in the sentences of services: one way to say amounts.

Screens and letters write amounts in the reader's locale (`format_money`); sentences of the
domain are English and say `Money` as it says itself. Both go through the same formatter.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import sqlalchemy as sa

from portal.company.formats import format_money
from portal.kernel.money import write_in_dollars, write_money_by
from portal.models import Company


def speak_in(currency: str) -> None:
    """From now on sentences say amounts in this currency, e.g. EUR: €80.00."""
    if currency == "USD":
        write_money_by(write_in_dollars)  # the same words, without the way through the locale
    else:
        write_money_by(partial(format_money, locale="en", currency=currency))


@sa.event.listens_for(Company, "load")
@sa.event.listens_for(Company, "refresh")
def _read(company: Company, *_more: Any) -> None:
    known = company.__dict__.get("currency")  # an attribute that was not loaded is not asked for
    if known:
        speak_in(known)


@sa.event.listens_for(Company.currency, "set")
def _changed(_company: Company, currency: str, *_more: Any) -> None:
    if currency:
        speak_in(currency)
