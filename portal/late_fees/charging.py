"""From proposals to interest invoices: judged again under lock, then charged, once per period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from portal.db import db
from portal.invoices import lock_in_order, start_interest_invoice
from portal.kernel.errors import DomainError
from portal.late_fees.computing import Charge
from portal.late_fees.finding import Verdict, judge
from portal.models import FeeItemState, Invoice, LateFee, LateFeeItem, ReviewState


def charge_items(items: Sequence[LateFeeItem], *, on: date) -> list[Invoice]:
    """A draft for each proposal that still holds; what changed meanwhile is refused in words.

    The invoices are locked, so a payment, a dispute or another charge came before or comes
    after; the unique key of invoice and period is the last word.
    """
    by_invoice = {one.invoice_id: one for one in items}
    lock_in_order(sorted(by_invoice))
    drafts = []
    for verdict in judge(sorted(by_invoice), on=on):
        item = by_invoice[verdict.invoice.id]
        draft = _charge(item, verdict, on)
        if draft is not None:
            drafts.append(draft)
    return drafts


def _charge(item: LateFeeItem, verdict: Verdict, on: date) -> Invoice | None:
    if problem := _changed(item, verdict):
        item.state, item.sentence = FeeItemState.REFUSED, problem
        return None
    assert verdict.charge is not None
    try:
        draft = _draft(verdict.invoice, verdict.charge, on)
    except DomainError as error:
        item.state, item.sentence = FeeItemState.REFUSED, str(error)
        return None
    item.state, item.document = FeeItemState.CHARGED, draft
    return draft


def _changed(item: LateFeeItem, verdict: Verdict) -> str | None:
    """Why it is not charged as somebody saw it, in words, or None."""
    if verdict.charge is None:
        return verdict.sentence
    if verdict.charge.amount != item.amount:
        return f"It changed since: it would be {verdict.charge.amount} now. Look again."
    return None


def _draft(invoice: Invoice, charge: Charge, on: date) -> Invoice:
    """The interest invoice and one row per period, which share its amount to the cent."""
    first, last = charge.periods[0].starts_on, min(charge.periods[-1].ends_on, on)
    with db.session.begin_nested():  # a refusal leaves nothing of it behind
        draft = start_interest_invoice(
            invoice, charge.amount, first=first, last=last, sentence=charge.sentence
        )
        draft.review_state = ReviewState.REVIEWED  # somebody went through the list
        shares = charge.amount.split([one.days for one in charge.periods])
        for period, share in zip(charge.periods, shares, strict=True):
            db.session.add(LateFee(
                invoice=invoice, document=draft, starts_on=period.starts_on,
                ends_on=period.ends_on, amount=share,
            ))  # fmt: skip
    return draft
