"""How one payment is shared among open invoices: as typed, or oldest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request
from flask_babel import gettext as _

from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import Invoice
from portal.web import read_money


@dataclass(frozen=True)
class Proposal:
    """What each invoice would get, by its id, and what would stay the customer's credit."""

    shares: Mapping[int, Money]
    left: Money

    @property
    def gives_something(self) -> bool:
        return any(self.shares.values())


def propose(invoices: list[Invoice], amount: Money) -> Proposal:
    """The invoice somebody came from first, then oldest due first."""
    shares = in_order(invoices, amount)
    return Proposal(
        {invoice.id: share for invoice, share in shares},
        amount - Money.total(share for _invoice, share in shares),
    )


def read_shares(
    invoices: list[Invoice], amount: Money, sent: Mapping[str, str]
) -> list[tuple[Invoice, Money]]:
    """What the person typed beside each invoice; with nothing typed, as proposed.

    Raises DomainError for what is no amount, or more than an invoice or the payment has.
    """
    typed = {one.id: sent.get(f"share-{one.id}", "").strip() for one in invoices}
    if not any(typed.values()):
        return in_order(invoices, amount)
    shares, left = [], amount
    for invoice in invoices:
        share = _amount(typed[invoice.id])
        if share > invoice.balance:
            raise DomainError(
                _("Invoice %(n)s needs only %(b)s.", n=invoice.number, b=str(invoice.balance))
            )
        shares.append((invoice, share))
        left -= share
    if left < ZERO:
        raise DomainError(_("The invoices get %(a)s more than was received.", a=str(-left)))
    return shares


def first_of(invoices: list[Invoice]) -> Invoice | None:
    """The invoice somebody came from: it is paid before the others."""
    wanted = request.args.get("invoice_id", type=int)
    return next((one for one in invoices if one.id == wanted), None)


def in_order(invoices: list[Invoice], amount: Money) -> list[tuple[Invoice, Money]]:
    first = first_of(invoices)
    shares, left = [], amount
    for invoice in sorted(invoices, key=lambda one: one is not first):
        share = min(invoice.balance, left)
        shares.append((invoice, share))
        left -= share
    return shares


def _amount(typed: str) -> Money:
    if not typed:
        return ZERO
    try:
        amount = read_money(typed)
    except ValueError as error:
        raise DomainError(_("“%(t)s”: %(why)s", t=typed, why=str(error))) from None
    if amount < ZERO:
        raise DomainError(_("A share cannot be negative."))
    return amount
