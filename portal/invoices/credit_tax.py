"""The tax a credit note takes back: at the original's rates, to the last cent of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from portal.db import db
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models import ON_THE_BOOKS, Invoice, InvoiceKind, InvoiceTax, TaxBase
from portal.taxes import ComputedTax, TaxableLine, compute_taxes

Key = tuple[str, TaxBase, Rate]


def credit_taxes(
    note: Invoice, lines: Sequence[TaxableLine], beside: Sequence[Invoice] = ()
) -> list[ComputedTax]:
    """Tax on a credit note as the original was charged, whatever its zone says today.

    Parts are rounded each for themselves; the note that takes the last of a taxed amount takes
    the rest of its tax too, so that credits of all parts add up to the original's tax. Notes
    `beside` it become final just before it and count like final ones.
    """
    assert note.adjusts is not None
    charged = note.adjusts.taxes
    before = _credited_before(note.adjusts, note, beside)
    bases, amounts = {}, {}
    for tax in charged:
        key = (tax.authority, tax.base, tax.rate)
        bases[key] = tax.taxable_amount + before[key][0]
        amounts[key] = tax.amount + before[key][1]
    return [_rest(tax, bases, amounts) for tax in compute_taxes(lines, charged)]


def _rest(tax: ComputedTax, bases: dict[Key, Money], amounts: dict[Key, Money]) -> ComputedTax:
    key = (tax.authority, tax.base, tax.rate)
    takes_the_last = tax.taxable_amount == -bases[key]
    if takes_the_last or (tax.amount < ZERO and -tax.amount > max(amounts[key], ZERO)):
        return replace(tax, amount=-amounts[key])
    return tax


def _credited_before(
    original: Invoice, note: Invoice, beside: Sequence[Invoice]
) -> dict[Key, tuple[Money, Money]]:
    """What final credit notes and refund documents already took back, per rate; negative."""
    found: dict[Key, tuple[Money, Money]] = defaultdict(lambda: (ZERO, ZERO))
    query = (
        sa.select(InvoiceTax)
        .join(Invoice, Invoice.id == InvoiceTax.invoice_id)
        .where(
            Invoice.adjusts_id == original.id,
            Invoice.id != (note.id or 0),
            Invoice.state.in_(ON_THE_BOOKS),
            sa.or_(Invoice.kind == InvoiceKind.CREDIT_NOTE, Invoice.kind == InvoiceKind.REFUND),
        )
    )
    for tax in [*db.session.scalars(query), *(tax for one in beside for tax in one.taxes)]:
        key = (tax.authority, tax.base, tax.rate)
        base, amount = found[key]
        found[key] = (base + tax.taxable_amount, amount + tax.amount)
    return found
