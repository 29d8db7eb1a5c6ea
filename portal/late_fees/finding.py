"""Which invoices are late and what each would be charged, a chunk at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import NO_MONEY, db
from portal.invoices import disputed_amounts, plans_in_good_standing
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.late_fees.computing import Charge, LateInvoice, charge_for
from portal.models import (
    HAS_BALANCE,
    OFF_THE_BOOKS,
    CollectionStanding,
    Customer,
    Invoice,
    InvoiceKind,
    InvoiceState,
    LateFee,
    LateFeeExemption,
    LateFeeLimit,
    LateFeeRule,
    PaymentPlan,
)

NEVER = (InvoiceKind.INTEREST, InvoiceKind.FINANCING)  # of these nothing is charged


@dataclass(frozen=True)
class Verdict:
    """What becomes of one late invoice: a charge, or the reason why not."""

    invoice: Invoice
    charge: Charge | None
    sentence: str


def late_invoices(*, on: date, after: int, limit: int) -> list[int]:
    """Ids of the next invoices that are past due under a rule, or have no term at all, by id."""
    ruled = sa.exists().where(LateFeeRule.term_id == Invoice.term_id, LateFeeRule.active)
    late = sa.and_(Invoice.due_date < on, ruled)
    query = (
        sa.select(Invoice.id)
        .where(
            HAS_BALANCE,
            Invoice.balance > NO_MONEY,
            Invoice.state.not_in(OFF_THE_BOOKS),
            Invoice.kind.not_in(NEVER),
            Invoice.id > after,
            sa.or_(late, Invoice.term_id.is_(None)),
        )
        .order_by(Invoice.id)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def judge(ids: Sequence[int], *, on: date) -> list[Verdict]:
    """What each of these is charged that day; a constant number of statements."""
    query = (
        sa.select(Invoice)
        .where(Invoice.id.in_(ids))
        .order_by(Invoice.id)
        .options(
            joinedload(Invoice.customer).joinedload(Customer.customer_type),
            joinedload(Invoice.location),
        )
        .execution_options(populate_existing=True)
    )
    invoices = list(db.session.scalars(query))
    known = _Known(invoices, on)
    return [known.judge(invoice) for invoice in invoices]


class _Known:
    """Everything that bears on these invoices, read at once."""

    def __init__(self, invoices: Sequence[Invoice], on: date) -> None:
        ids = [one.id for one in invoices]
        owners = {one.customer_id for one in invoices}
        self.on = on
        self.rules = {one.term_id: one for one in db.session.scalars(sa.select(LateFeeRule))}
        self.limits = {one.region: one.rate for one in db.session.scalars(sa.select(LateFeeLimit))}
        self.plans: dict[int, PaymentPlan] = plans_in_good_standing(ids, on=on)
        self.disputed = disputed_amounts(ids)
        self.exempt = _exempt(owners)
        self.bankrupt = _bankrupt(owners)
        self.interest = _interest_on(ids)
        self.fees = _fees_on(ids)

    def judge(self, invoice: Invoice) -> Verdict:
        if why := self._forbidden(invoice):
            return Verdict(invoice, None, why)
        assert invoice.term_id is not None
        found = charge_for(self.rules[invoice.term_id], self._facts(invoice), on=self.on)
        if isinstance(found, str):
            return Verdict(invoice, None, found)
        return Verdict(invoice, found, found.sentence)

    def _forbidden(self, invoice: Invoice) -> str | None:
        """The first rule that forbids a charge whatever it comes to, in words."""
        rule = self.rules.get(invoice.term_id or 0)
        if invoice.term_id is None:
            return "It has no payment term, so no late fee was agreed."
        if rule is None or not rule.active:
            return "Its payment term charges no late fees."
        if not invoice.is_on_the_books or not invoice.is_overdue(self.on):
            return "Nothing on it is past due."
        if invoice.kind.value not in rule.kinds:
            return "Its kind of invoice is not charged by this term."
        if invoice.invoice_date is None or invoice.invoice_date < rule.applies_from:
            return f"It is dated before {rule.applies_from}, from when on late fees were agreed."
        if because := self.exempt.get(invoice.customer_id):
            return f"The customer is exempt: {because}"
        if invoice.customer_id in self.bankrupt:
            return "The customer is bankrupt: nothing is charged meanwhile."
        if plan := self.plans.get(invoice.id):
            return f"It is on payment plan {plan.number}, which is kept to."
        if self.disputed.get(invoice.id, ZERO) >= invoice.balance:
            return "All that is owed on it is disputed."
        return None

    def _facts(self, invoice: Invoice) -> LateInvoice:
        assert invoice.due_date is not None
        documents, fees = self.interest[invoice.id], self.fees[invoice.id]
        by_rule = {one.document_id for one in fees}
        days = [one.ends_on for one in fees]
        days += [
            one.invoice_date for one in documents if one.id not in by_rule and one.invoice_date
        ]
        standing = {one.document_id for one in fees if one.taken_back_on is None}
        counted = [one for one in documents if one.id in standing or one.id not in by_rule]
        return LateInvoice(
            total=invoice.total,
            undisputed=invoice.balance - self.disputed.get(invoice.id, ZERO),
            earlier=Money.total(one.balance for one in counted),
            charged=Money.total(one.total for one in counted),
            due=invoice.due_date,
            charged_through=max(days, default=None),
            is_business=invoice.customer.is_business,
            limit=self._limit(invoice),
        )

    def _limit(self, invoice: Invoice) -> Rate | None:
        """The limit of the state where the work was done, else where bills go, else the rest's."""
        place = invoice.location or invoice.customer
        return self.limits.get(place.region.strip().upper(), self.limits.get(""))


def _exempt(customer_ids: Collection[int]) -> dict[int, str]:
    query = sa.select(LateFeeExemption).where(LateFeeExemption.customer_id.in_(customer_ids))
    return {one.customer_id: one.because for one in db.session.scalars(query)}


def _bankrupt(customer_ids: Collection[int]) -> set[int]:
    query = sa.select(CollectionStanding.customer_id).where(
        CollectionStanding.customer_id.in_(customer_ids), CollectionStanding.bankrupt
    )
    return set(db.session.scalars(query))


def _interest_on(ids: Sequence[int]) -> dict[int, list[Invoice]]:
    """By invoice, its interest invoices that were not cancelled, whoever made them."""
    query = sa.select(Invoice).where(
        Invoice.adjusts_id.in_(ids),
        Invoice.kind == InvoiceKind.INTEREST,
        Invoice.state != InvoiceState.CANCELLED,
    )
    found: dict[int, list[Invoice]] = defaultdict(list)
    for one in db.session.scalars(query):
        found[one.adjusts_id or 0].append(one)
    return found


def _fees_on(ids: Sequence[int]) -> dict[int, list[LateFee]]:
    """By invoice, the periods charged by rule, those taken back too."""
    found: dict[int, list[LateFee]] = defaultdict(list)
    for one in db.session.scalars(sa.select(LateFee).where(LateFee.invoice_id.in_(ids))):
        found[one.invoice_id].append(one)
    return found
