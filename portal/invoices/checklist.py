"""What a careful colleague would look at before an invoice is posted (servicetitan-rules §3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.company import today
from portal.db import db
from portal.invoices.totals import tax_is_stale
from portal.kernel.money import ZERO
from portal.kernel.numbers import UnitPrice
from portal.models import (
    CREDITING,
    CustomerPrice,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    ItemKind,
    JobState,
    Location,
    TaxZone,
)
from portal.taxes import ZoneSuggestion, suggest_zones


class Check(StrEnum):
    """One point of the checklist."""

    NO_DATE = "no_date"
    JOB_NOT_DONE = "job_not_done"
    NO_LINES = "no_lines"
    NO_SUMMARY = "no_summary"
    NO_TECHNICIAN = "no_technician"
    ZONE_MISSING = "zone_missing"
    ZONE_AMBIGUOUS = "zone_ambiguous"
    STALE_TAX = "stale_tax"
    NEGATIVE_TOTAL = "negative_total"
    OTHER_PRICE = "other_price"


@dataclass(frozen=True)
class Finding:
    """One thing to look at; it never forbids posting by itself."""

    check: Check
    sentence: str


@dataclass(frozen=True)
class Known:
    """What was read beside the invoices: agreed prices and what postal codes suggest."""

    prices: Mapping[tuple[int, int], UnitPrice]
    zones: Mapping[str, ZoneSuggestion]


def checklist(invoice: Invoice) -> list[Finding]:
    """Everything worth a look on one invoice, most serious first; empty when nothing is."""
    return checklists([invoice])[invoice.id]


def checklists(invoices: Sequence[Invoice]) -> dict[int, list[Finding]]:
    """The checklist of each by id, in a constant number of statements."""
    _load_whole([one.id for one in invoices])
    known = Known(_agreed_prices(invoices), _suggestions(invoices))
    return {
        one.id: [finding for check in CHECKS for finding in check(one, known)] for one in invoices
    }


def corrects(invoice: Invoice) -> bool:
    """Whether it takes back from another invoice, so that a negative total is what is meant."""
    return invoice.kind in CREDITING or invoice.kind is InvoiceKind.ADJUSTMENT


def _no_date(invoice: Invoice, _known: Known) -> Iterator[Finding]:
    if invoice.invoice_date is None:
        yield Finding(Check.NO_DATE, "It has no date.")


def _job_not_done(invoice: Invoice, _known: Known) -> Iterator[Finding]:
    if invoice.job is not None and invoice.job.state is not JobState.DONE:
        yield Finding(Check.JOB_NOT_DONE, f"Job {invoice.job.number} is not completed yet.")


def _no_lines(invoice: Invoice, _known: Known) -> Iterator[Finding]:
    if not invoice.lines:
        yield Finding(Check.NO_LINES, "It has no lines. A line of $0.00 says “no charge”.")


def _no_summary(invoice: Invoice, _known: Known) -> Iterator[Finding]:
    if not invoice.summary.strip():
        yield Finding(Check.NO_SUMMARY, "It does not say what was done.")


def _no_technician(invoice: Invoice, _known: Known) -> Iterator[Finding]:
    if invoice.kind is InvoiceKind.POINT_OF_SALE or corrects(invoice):
        return
    for line in invoice.lines:
        stock = line.kind in (ItemKind.MATERIAL, ItemKind.EQUIPMENT)
        if stock and line.technician_id is None:
            yield Finding(Check.NO_TECHNICIAN, f"“{line.description}” names no technician.")


def _zone(invoice: Invoice, known: Known) -> Iterator[Finding]:
    if invoice.tax_zone is not None or invoice.customer.is_tax_exempt(_day(invoice)):
        return
    place = invoice.location
    found = known.zones.get(place.postal_code) if place else None
    if place is not None and found is not None and found.ambiguous:
        names = ", ".join(zone.name for zone in found.candidates)
        sentence = f"{place.postal_code} lies in several tax zones: {names}. Choose one."
        yield Finding(Check.ZONE_AMBIGUOUS, sentence)
    else:
        yield Finding(Check.ZONE_MISSING, "It has no tax zone: no sales tax is charged.")


def _stale_tax(invoice: Invoice, _known: Known) -> Iterator[Finding]:
    if not invoice.is_editable or corrects(invoice):
        return  # a correction keeps the rates of what it corrects
    theirs = invoice.location.tax_zone if invoice.location else None
    if theirs is not None and theirs is not invoice.tax_zone and invoice.tax_zone is not None:
        words = f"Its location lies in {theirs.name}, but it is taxed in {invoice.tax_zone.name}."
        yield Finding(Check.STALE_TAX, words)
    elif tax_is_stale(invoice):
        words = "The tax zone or its rate changed since the tax was computed."
        yield Finding(Check.STALE_TAX, words)


def _negative_total(invoice: Invoice, _known: Known) -> Iterator[Finding]:
    if invoice.total < ZERO and not corrects(invoice):
        yield Finding(Check.NEGATIVE_TOTAL, f"Its total is negative: {invoice.total}.")


def _other_price(invoice: Invoice, known: Known) -> Iterator[Finding]:
    if corrects(invoice):
        return
    for line in invoice.lines:
        if line.item is None:
            continue
        agreed = known.prices.get((invoice.customer_id, line.item.id))
        wanted = line.item.unit_price if agreed is None else agreed
        charged = -line.unit_price if line.kind is ItemKind.DISCOUNT else line.unit_price
        if charged != wanted:
            whose = "the price book says" if agreed is None else "this customer's price is"
            sentence = f"“{line.description}” costs {charged} here; {whose} {wanted}."
            yield Finding(Check.OTHER_PRICE, sentence)


CHECKS: Sequence[Callable[[Invoice, Known], Iterator[Finding]]] = (
    _no_date, _job_not_done, _no_lines, _negative_total, _zone, _stale_tax, _no_technician,
    _other_price, _no_summary,
)  # fmt: skip


def _day(invoice: Invoice) -> date:
    return invoice.invoice_date or today()


def _load_whole(ids: Sequence[int]) -> None:
    """Fill what the checks look at into the rows of this session, unsaved changes untouched."""
    query = (
        sa.select(Invoice)
        .where(Invoice.id.in_(ids))
        .options(
            selectinload(Invoice.lines).joinedload(InvoiceLine.item),
            selectinload(Invoice.taxes),
            joinedload(Invoice.customer),
            joinedload(Invoice.job),
            joinedload(Invoice.location).joinedload(Location.tax_zone),
            selectinload(Invoice.tax_zone).selectinload(TaxZone.rates),
        )
    )
    db.session.scalars(query).unique().all()


def _agreed_prices(invoices: Sequence[Invoice]) -> dict[tuple[int, int], UnitPrice]:
    items = {line.item_id for one in invoices for line in one.lines if line.item_id}
    rows = db.session.scalars(
        sa.select(CustomerPrice).where(
            CustomerPrice.customer_id.in_({one.customer_id for one in invoices}),
            CustomerPrice.item_id.in_(items),
        )
    )
    return {(row.customer_id, row.item_id): row.unit_price for row in rows}


def _suggestions(invoices: Sequence[Invoice]) -> dict[str, ZoneSuggestion]:
    unzoned = (one.location for one in invoices if one.tax_zone_id is None)
    return suggest_zones({place.postal_code for place in unzoned if place is not None})
