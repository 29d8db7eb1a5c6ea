"""Which tax group of EN 16931 a line belongs to, and what each group adds up to.

EN 16931 knows one rate per line. Ours may be taxed by several authorities, so a group's rate is
the sum of theirs, and its tax the sum of each authority's amount, shared where one taxes
several groups: the breakdown adds up to the document to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _

from portal.documents import TaxShare
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models import (
    Company,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    ItemKind,
    TaxBase,
    TaxClass,
)


@dataclass(frozen=True)
class Group:
    """A category (UNTDID 5305), the summed rate, and the positions of the taxes in it."""

    category: str
    rate: Rate
    taxes: frozenset[int]
    reason: str = ""


def group_of(invoice: Invoice, line: InvoiceLine, seller: Company) -> Group:
    """S taxed, E exempt customer, Z not taxed here, O seller outside the tax."""
    covering = [tax for tax in invoice.taxes if tax.rate and _covers(tax, line)]
    if covering:
        rate = Rate.of(sum((tax.rate.value for tax in covering), Decimal(0)))
        return Group("S", rate, frozenset(tax.position for tax in covering))
    if not seller.vat_id:
        return Group("O", Rate(0), frozenset(), _("Not subject to tax"))
    customer = invoice.customer
    if invoice.invoice_date and customer.is_tax_exempt(invoice.invoice_date):
        certificate = customer.exemption_certificate
        return Group("E", Rate(0), frozenset(), _("Exempt, certificate %(n)s", n=certificate))
    return Group("Z", Rate(0), frozenset())


def _covers(tax: InvoiceTax, line: InvoiceLine) -> bool:
    if not line.taxable:
        return False
    labor = line.tax_class is TaxClass.LABOR
    return tax.base is TaxBase.SUBTOTAL or labor == (tax.base is TaxBase.LABOR)


def shares_of_discounts(
    invoice: Invoice, groups: Mapping[int, Group]
) -> list[tuple[InvoiceLine, dict[Group, Money]]]:
    """Each negative line (as printed) with its share in each group.

    Discounts are shared over the charged lines as the tax computation shares them.
    """
    charged = [line for line in invoice.lines if line.kind is not ItemKind.DISCOUNT]
    weights = [abs(line.total.cents) for line in charged]
    rows = []
    for line in invoice.lines:
        if line.total.cents * _paper_sign(invoice) >= 0:
            continue
        shares: dict[Group, Money] = defaultdict(lambda: ZERO)
        if line.kind is ItemKind.DISCOUNT and any(weights):
            for other, part in zip(charged, line.total.split(weights), strict=True):
                shares[groups[other.id]] += part
        else:
            shares[groups[line.id]] += line.total
        rows.append((line, dict(shares)))
    return rows


def _paper_sign(invoice: Invoice) -> int:
    return -1 if invoice.total < ZERO else 1


def tax_shares(invoice: Invoice, groups: Mapping[int, Group], sign: int) -> list[TaxShare]:
    """The breakdown per category and rate, as on paper."""
    bases = _bases(invoice, groups)
    amounts: dict[Group, Money] = dict.fromkeys(bases, ZERO)
    for tax in invoice.taxes:
        taxed = [group for group in bases if tax.position in group.taxes]
        weights = [abs(bases[group].cents) for group in taxed]
        if tax.amount and sum(weights):
            for group, part in zip(taxed, tax.amount.split(weights), strict=True):
                amounts[group] += part
    merged: dict[tuple[str, Rate], TaxShare] = {}
    for group, base in bases.items():
        key = (group.category, group.rate)
        so_far = merged.get(key, TaxShare(*key, ZERO, ZERO, group.reason))
        merged[key] = TaxShare(
            *key,
            so_far.base + Money(base.cents * sign),
            so_far.amount + Money(amounts[group].cents * sign),
            group.reason,
        )
    return list(merged.values())


def _bases(invoice: Invoice, groups: Mapping[int, Group]) -> dict[Group, Money]:
    bases: dict[Group, Money] = defaultdict(lambda: ZERO)
    sign = _paper_sign(invoice)
    for line in invoice.lines:
        if line.total.cents * sign >= 0:
            bases[groups[line.id]] += line.total
    for _line, shares in shares_of_discounts(invoice, groups):
        for group, amount in shares.items():
            bases[group] += amount
    return dict(bases)
