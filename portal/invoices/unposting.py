"""Taking invoices off the books again: a reversal, never a deletion; the number is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from portal.audit import Happening, record_many
from portal.db import NO_MONEY, db
from portal.invoices.claiming import change_all
from portal.invoices.crediting import ONLY_WHAT_IS_OWED
from portal.invoices.events import CreditWithdrawn, InvoiceChanged
from portal.invoices.locking import lock_in_order
from portal.invoices.posting import CHUNK, PostingOutcome
from portal.invoices.reversing import reverse_postings
from portal.invoices.wording import document_word, named
from portal.kernel.errors import DomainError
from portal.kernel.events import tell
from portal.kernel.money import ZERO
from portal.ledger import closed_sentence, is_open
from portal.models import (
    INVOICE,
    ON_THE_BOOKS,
    Invoice,
    InvoiceKind,
    InvoiceState,
    Payment,
    PaymentApplication,
    User,
)


def unpost_invoice(
    invoice: Invoice, *, because: str, by: User | None = None, version: int | None = None
) -> None:
    """Make one posted invoice a draft again (servicetitan-rules §2.2).

    Its entry is reversed on its own date, money applied to it waits in Customer Deposits, the
    number is kept and used again. Raises the first failing reason (period, export status,
    corrections, batch, credit paid out), also when it is not at `version` any more, the one that
    somebody saw.
    """
    db.session.flush()
    if problem := unposting_problem(invoice):
        raise DomainError(problem)
    if not because.strip():
        raise DomainError("Say why the invoice leaves the books.", field="because")
    seen = {invoice.id: invoice.version if version is None else version}
    outcome = unpost_invoices([invoice.id], because=because, by=by, seen=seen)
    if outcome.refused:
        raise DomainError(outcome.refused[0][1])


def unpost_invoices(
    ids: Sequence[int],
    *,
    because: str,
    by: User | None = None,
    seen: Mapping[int, int] | None = None,
    financing: bool = False,
    note: Callable[[int], None] = lambda _done: None,
) -> PostingOutcome:
    """Unpost many; refused ones are listed with their reason and stay posted.

    A correction and what it corrects may leave together. The halves of a `financing` leave
    only when it is undone as a whole. The caller decides whether a refusal
    rolls back the rest; `by` is named by the trail already. `note` hears how many are done.
    """
    db.session.flush()
    locked = lock_to_unpost(ids)
    invoices = _load(ids)
    outcome = _sort_out(invoices, seen or {}, financing)
    for start in range(0, len(outcome.done), CHUNK):
        _take_off(outcome.done[start : start + CHUNK], because.strip(), locked)
        note(min(start + CHUNK, len(outcome.done)))
    return outcome


def lock_to_unpost(ids: Sequence[int]) -> frozenset[int]:
    """Hold these, what they correct and what their credit was used for; returns which they are.

    In one go and before any payment, so that nobody waits in a circle.
    """
    return frozenset(lock_in_order([*ids, *_credited_by(ids)]))


def unposting_problem(invoice: Invoice) -> str | None:
    """The first reason why this invoice alone cannot be unposted, in words, or None."""
    blockers = _corrections_of([invoice.id])
    if problem := _problem(invoice, {}, blockers.get(invoice.id, [])):
        return problem
    if exported := _exported_below([invoice.id]).get(invoice.id):
        return _exported_sentence(exported)
    if problem := _bound_problem(invoice):
        return problem
    if invoice.batch_id is not None:
        return f"{named(invoice)} is in a batch. Unpost the batch instead."
    return None


def _credited_by(ids: Sequence[int]) -> list[int]:
    """The invoices that credit of these documents was used for."""
    query = (
        sa.select(PaymentApplication.invoice_id)
        .join(Payment, Payment.id == PaymentApplication.payment_id)
        .distinct()
    )
    found: list[int] = []
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        found += db.session.scalars(query.where(Payment.document_id.in_(part)))
    return found


def _load(ids: Sequence[int]) -> list[Invoice]:
    """Fresh, newest first, so that a correction leaves before what it corrects."""
    found: list[Invoice] = []
    query = sa.select(Invoice).options(joinedload(Invoice.customer))
    for start in range(0, len(ids), CHUNK):
        part = query.where(Invoice.id.in_(ids[start : start + CHUNK]))
        found += db.session.scalars(part.execution_options(populate_existing=True))
    return sorted(found, key=lambda one: -one.id)


def _sort_out(
    invoices: Sequence[Invoice], seen: Mapping[int, int], financing: bool
) -> PostingOutcome:
    """Refuse until nothing more has to be: what stays posted holds what it corrects."""
    outcome = PostingOutcome(done=list(invoices))
    blockers = _corrections_of([one.id for one in invoices])
    exported = _exported_below([one.id for one in invoices])
    months: dict[date, bool] = {}
    while True:
        leaving = {one.id for one in outcome.done}
        problems = {}
        for invoice in outcome.done:
            staying = [one for one in blockers.get(invoice.id, []) if one.id not in leaving]
            problem = _problem(invoice, months, staying)
            if not problem and invoice.id in exported:
                problem = _exported_sentence(exported[invoice.id])
            if not problem and not financing:
                problem = _bound_problem(invoice)
            if seen.get(invoice.id, invoice.version) != invoice.version:
                problem = "Somebody else changed it. Look again, then retry."
            if problem:
                problems[invoice.id] = problem
        if not problems:
            return outcome
        outcome.refused += [(one, problems[one.id]) for one in outcome.done if one.id in problems]
        outcome.done = [one for one in outcome.done if one.id not in problems]


def _problem(
    invoice: Invoice, months: dict[date, bool], staying: Collection[Invoice]
) -> str | None:
    """Period, then export status, then what else hangs on it (ARCHITECTURE, decision 12)."""
    day = invoice.invoice_date
    if day and not months.setdefault(day.replace(day=1), is_open(day)):
        return closed_sentence(day)
    if invoice.state is InvoiceState.EXPORTED:
        return f"{named(invoice)} was already exported. Correct it with a new document instead."
    if not INVOICE.allows(invoice.state, "unpost"):
        return f"{named(invoice)} is {invoice.state}: it is not on the books."
    if invoice.kind is InvoiceKind.AR_IMPORT:
        return "It was imported with its opening balance and cannot be unposted."
    if staying:
        one = min(staying, key=lambda row: row.id)
        return f"{document_word(one)} {one.number} hangs on it. Unpost that one first."
    return None


def _exported_below(ids: Sequence[int]) -> dict[int, str]:
    """By document, the exported invoice its credit is on: whose balance would change.

    What a write-off or a financing took off has no other way back than this one.
    """
    found: dict[int, str] = {}
    document = aliased(Invoice)
    query = (
        sa.select(Payment.document_id, Invoice.reference_number, Invoice.document_number)
        .join(PaymentApplication, PaymentApplication.payment_id == Payment.id)
        .join(Invoice, Invoice.id == PaymentApplication.invoice_id)
        .join(document, document.id == Payment.document_id)
        .where(
            Invoice.state == InvoiceState.EXPORTED,
            document.kind.not_in(ONLY_WHAT_IS_OWED),
            Payment.returned_on.is_(None),
        )
        .group_by(Payment.document_id, Invoice.id)
        .having(sa.func.sum(PaymentApplication.amount) > NO_MONEY)
        .order_by(Invoice.id)
    )
    for start in range(0, len(ids), CHUNK):
        part = query.where(Payment.document_id.in_(ids[start : start + CHUNK]))
        for document_id, reference, number in db.session.execute(part):
            found.setdefault(cast(int, document_id), number or reference)
    return found


def _exported_sentence(number: str) -> str:
    return f"Its credit is on invoice {number}, which was exported. Take it back there first."


def _bound_problem(invoice: Invoice) -> str | None:
    if invoice.kind is InvoiceKind.FINANCING:
        return "It is one half of a financing. Undo the financing instead."
    return None


def _corrections_of(ids: Sequence[int]) -> dict[int, list[Invoice]]:
    """Final documents that hang on these: corrections, interest, both halves of a financing."""
    found: dict[int, list[Invoice]] = defaultdict(list)
    for start in range(0, len(ids), CHUNK):
        part = set(ids[start : start + CHUNK])
        query = sa.select(Invoice).where(
            sa.or_(Invoice.adjusts_id.in_(part), Invoice.transfers_id.in_(part)),
            Invoice.state.in_(ON_THE_BOOKS),
        )
        for one in db.session.scalars(query):
            for corrected in {one.adjusts_id, one.transfers_id} & part:
                found[cast(int, corrected)].append(one)
    return found


def _take_off(invoices: Sequence[Invoice], because: str, locked: frozenset[int]) -> None:
    credited = [one for one in invoices if one.total < ZERO]
    if credited:
        tell(CreditWithdrawn(credited, because, locked))
    reverse_postings(invoices)
    change_all(invoices, [_draft_values(one) for one in invoices], was=InvoiceState.POSTED)
    words = f": {because}" if because else "."
    record_many(
        [
            Happening("unposted", "invoice", one.id, f"Unposted, keeping its number{words}",
                      {"state": ["posted", "pending"]})
            for one in invoices
        ]
        + [
            Happening("correction withdrawn", "invoice", one.adjusts_id,
                      f"{document_word(one)} {one.number} was unposted{words}")
            for one in invoices if one.adjusts_id
        ]
    )  # fmt: skip
    for invoice in invoices:
        tell(InvoiceChanged(invoice))


def _draft_values(invoice: Invoice) -> dict[str, object]:
    """A draft again; what was sent stays sent, and the number stays."""
    return {
        "state": InvoiceState.PENDING,
        "balance": invoice.balance if invoice.total >= ZERO else invoice.total,
        "settled_on": None,
        "posted_at": None,
        "posted_by_id": None,
        "bill_to": "",
        "service_at": "",
        "term_name": "",
    }
