"""The tax on an invoice, as a pure function of its lines and the rates in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models import InvoiceTax, TaxBase, TaxClass, TaxRate


@dataclass(frozen=True)
class TaxableLine:
    """What tax needs to know of a line; a discount's total is negative."""

    total: Money
    taxable: bool
    tax_class: TaxClass
    is_discount: bool = False


@dataclass(frozen=True)
class ComputedTax:
    """One rate's tax on one invoice."""

    authority: str
    base: TaxBase
    rate: Rate
    taxable_amount: Money
    amount: Money


def compute_taxes(
    lines: Sequence[TaxableLine], rates: Sequence[TaxRate] | Sequence[InvoiceTax]
) -> list[ComputedTax]:
    """Tax per rate = taxable base × rate, rounded half up once per invoice.

    The rates are a zone's, or those an earlier invoice was charged.

    Discounts come off before tax: each is shared over the other lines in proportion to their
    totals, so it lowers the taxable base by the taxable share only (ARCHITECTURE, decision 7).
    Labor rates look at lines of class labor, material rates at everything taxable that is not
    labor. A negative base gives a negative tax.
    """
    nets = _after_discounts(lines)
    return [_tax(nets, rate) for rate in rates]


def _after_discounts(lines: Sequence[TaxableLine]) -> list[tuple[TaxableLine, Money]]:
    charged = [line for line in lines if not line.is_discount]
    nets = [line.total for line in charged]
    weights = [abs(line.total.cents) for line in charged]
    for discount in (line for line in lines if line.is_discount):
        if sum(weights) > 0:
            shares = discount.total.split(weights)
            nets = [net + share for net, share in zip(nets, shares, strict=True)]
        else:  # nothing to share it over: it stands for itself
            charged, nets, weights = [*charged, discount], [*nets, discount.total], [*weights, 0]
    return list(zip(charged, nets, strict=True))


def _tax(nets: Sequence[tuple[TaxableLine, Money]], rate: TaxRate | InvoiceTax) -> ComputedTax:
    base = Money.total(net for line, net in nets if line.taxable and _covers(rate.base, line))
    return ComputedTax(
        authority=rate.authority,
        base=rate.base,
        rate=rate.rate,
        taxable_amount=base,
        amount=rate.rate.of_money(base) if base else ZERO,
    )


def _covers(base: TaxBase, line: TaxableLine) -> bool:
    match base:
        case TaxBase.SUBTOTAL:
            return True
        case TaxBase.LABOR:
            return line.tax_class is TaxClass.LABOR
        case TaxBase.MATERIAL:
            return line.tax_class is not TaxClass.LABOR
