"""Proposals to write off: a collector asks, somebody who may write off decides."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.access import Ability
from portal.audit import record
from portal.db import claim, db, insert_once, lock_rows
from portal.invoices import correction_problem, write_off
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields, NotAllowed, NotFound
from portal.kernel.money import ZERO, Money
from portal.models import (
    WRITE_OFF_PROPOSAL,
    DunningCase,
    Invoice,
    InvoiceKind,
    User,
    WriteOffProposal,
    WriteOffProposalState,
)


def propose_write_off(
    case: DunningCase, invoice: Invoice, *, amount: Money | None, because: str, by: User
) -> WriteOffProposal:
    """Ask for giving up what is owed on an invoice, or a part of it; nothing is booked yet.

    Raises InvalidFields without a reason or for an amount beyond the balance, NotFound for
    another customer's invoice, DomainError when it waits for a decision already.
    """
    if invoice.customer_id != case.customer_id:
        raise NotFound("No such invoice.")
    wanted = amount if amount is not None else invoice.balance
    errors = {}
    if not because.strip():
        errors["because"] = "Say why it will not be paid."
    if wanted <= ZERO or wanted > invoice.balance:
        errors["amount"] = f"Give an amount above zero, at most {invoice.balance}."
    if errors:
        raise InvalidFields(errors)
    if problem := correction_problem(invoice, InvoiceKind.WRITE_OFF):
        raise DomainError(problem)
    row = WriteOffProposal(
        case_id=case.id, invoice_id=invoice.id, amount=wanted, because=because.strip(),
        proposed_by_id=by.id,
    )  # fmt: skip
    if not insert_once(row):
        raise DomainError(f"Writing off invoice {invoice.number} waits for a decision already.")
    record("proposed", case, f"Proposed to write off {wanted} of {invoice.number}: {row.because}")
    return row


def approve_write_off(row: WriteOffProposal, *, by: User) -> Invoice:
    """Write it off; the permission and every rule of write-offs are checked now.

    Raises NotAllowed, InvalidTransition when it was decided already, and what `write_off` does.
    """
    if Ability.WRITE_OFF not in by.role.abilities:
        raise NotAllowed("You may not write off what customers owe.")
    after = _hold(row, "approve")
    document = write_off(row.invoice, row.amount, because=row.because, by=by)
    claim(row, state=after)
    row.document_id = document.id
    _decided(row, by, "")
    return document


def decline_write_off(row: WriteOffProposal, *, because: str, by: User) -> None:
    """Go on collecting; InvalidFields without a reason."""
    if not because.strip():
        raise InvalidFields({"because": "Say why not, so that the collector knows what to do."})
    claim(row, state=_hold(row, "decline"))
    _decided(row, by, because)


def withdraw_write_off(row: WriteOffProposal, *, by: User) -> None:
    """Whoever proposed it takes it back."""
    claim(row, state=_hold(row, "withdraw"))
    _decided(row, by, "")


def get_proposal(proposal_id: int) -> WriteOffProposal:
    """One proposal; NotFound otherwise."""
    row = db.session.get(WriteOffProposal, proposal_id)
    if row is None:
        raise NotFound("No such proposal.")
    return row


def proposals_waiting() -> list[WriteOffProposal]:
    """What waits for a decision, oldest first."""
    query = (
        sa.select(WriteOffProposal)
        .where(WriteOffProposal.state == WriteOffProposalState.WAITING)
        .options(
            joinedload(WriteOffProposal.invoice).joinedload(Invoice.customer),
            joinedload(WriteOffProposal.proposed_by),
        )
        .order_by(WriteOffProposal.id)
    )
    return list(db.session.scalars(query))


def proposals_of(case: DunningCase) -> list[WriteOffProposal]:
    query = (
        sa.select(WriteOffProposal)
        .where(WriteOffProposal.case_id == case.id)
        .options(joinedload(WriteOffProposal.invoice), joinedload(WriteOffProposal.decided_by))
    )
    return list(db.session.scalars(query.order_by(WriteOffProposal.id.desc())))


def _hold(row: WriteOffProposal, verb: str) -> WriteOffProposalState:
    lock_rows(Invoice, [row.invoice_id])
    lock_rows(WriteOffProposal, [row.id])
    return WRITE_OFF_PROPOSAL.after(row.state, verb)


def _decided(row: WriteOffProposal, by: User, because: str) -> None:
    row.decided_by_id, row.decided_at = by.id, clock.now()
    row.decided_because = because.strip()
    words = f": {row.decided_because}" if row.decided_because else "."
    sentence = f"Writing off {row.amount} of {row.invoice.number} was {row.state}{words}"
    record(str(row.state), row.case or row.invoice, sentence)
