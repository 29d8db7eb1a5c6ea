"""The credit that a posted document gives: made, used for what it corrects, and taken back."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from portal.audit import Happening, record_many
from portal.db import db
from portal.invoices import ONLY_WHAT_IS_OWED, CreditWithdrawn, DocumentsCredited, InvoiceChanged
from portal.kernel.errors import Conflict, DomainError
from portal.kernel.events import tell
from portal.kernel.money import ZERO, Money
from portal.ledger import account_id_for, post_entries
from portal.models import (
    AccountRole,
    Invoice,
    InvoiceKind,
    Payment,
    PaymentApplication,
    PaymentOrigin,
    PaymentState,
    PaymentType,
)
from portal.payments.applying import entries_for, put_on_invoices, shares_that_fit, tell_of


def give_credit(event: DocumentsCredited) -> None:
    """A row of credit for each document, used for the corrected invoice up to its balance.

    The credit of a refund document waits to be paid out instead (payments/refunding).

    The document's own entry credits Customer Deposits already, so making the row books
    nothing; using it books like any application (docs/decisions/0007).
    """
    kind = _credit_type()
    given = [_credit_of(document, kind) for document in event.documents]
    db.session.add_all(given)
    db.session.flush()
    rows: list[PaymentApplication] = []
    for credit in given:
        rows += _use_for_original(credit)
    post_entries(entries_for(rows))
    _tell_of_credits(given)
    tell_of(rows)


def withdraw_credit(event: CreditWithdrawn) -> None:
    """Take the credit of these documents back from wherever it was used, and return its rows.

    Dated as the credit and its uses were, like the reversal of the documents, so that no day
    counts them. Raises DomainError when part of it was paid out, Conflict when it was used
    again while we waited for the locks.
    """
    ids = [document.id for document in event.documents]
    given = _locked(ids)
    uses = _standing_uses([credit.id for credit in given])
    if any(use.invoice_id not in event.locked for use in uses):
        raise Conflict("Somebody used this credit meanwhile. Look again, then retry.")
    for credit in given:
        used = Money.total(use.amount for use in uses if use.payment_id == credit.id)
        if credit.unapplied + used != credit.amount:
            raise DomainError(
                f"Part of the credit of {credit.reference} was paid out to the customer. "
                "Take that refund back first."
            )
    taken = [_take_back(use) for use in uses]
    db.session.add_all(taken)
    for credit in given:
        credit.unapplied, credit.returned_on = ZERO, credit.received_on
        credit.returned_because = event.because or "its document was unposted"
    db.session.flush()
    post_entries(entries_for(taken))
    _tell_of_withdrawal(given, taken)


def _locked(document_ids: Sequence[int]) -> list[Payment]:
    query = (
        sa.select(Payment)
        .where(Payment.document_id.in_(document_ids), Payment.returned_on.is_(None))
        .order_by(Payment.id)
        .with_for_update(of=Payment)
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(query))


def _standing_uses(payment_ids: Sequence[int]) -> list[PaymentApplication]:
    """What was applied and not taken back; the invoices must be among those locked before."""
    back = aliased(PaymentApplication)
    query = (
        sa.select(PaymentApplication)
        .outerjoin(back, back.reverses_id == PaymentApplication.id)
        .where(
            PaymentApplication.payment_id.in_(payment_ids),
            PaymentApplication.reverses_id.is_(None),
            back.id.is_(None),
        )
        .order_by(PaymentApplication.id)
        .options(joinedload(PaymentApplication.invoice))
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(query))


def _take_back(use: PaymentApplication) -> PaymentApplication:
    invoice = use.invoice
    invoice.balance += use.amount
    invoice.settled_on = None
    return PaymentApplication(
        payment=use.payment,
        invoice=invoice,
        amount=-use.amount,
        applied_on=use.applied_on,
        reverses_id=use.id,
    )


def _tell_of_withdrawal(given: Sequence[Payment], taken: Sequence[PaymentApplication]) -> None:
    returned = [
        Happening("returned", "payment", credit.id, f"{credit.reference} was unposted: no credit.")
        for credit in given
    ]
    back = [
        Happening(
            "unapplied",
            "invoice",
            row.invoice_id,
            f"{-row.amount} were taken back from payment {row.payment_id}.",
        )
        for row in taken
    ]
    record_many(returned + back)
    for row in taken:
        tell(InvoiceChanged(row.invoice))


def credit_given_by(document: Invoice) -> Payment | None:
    """The row of credit a final document gave, if it took off anything."""
    return db.session.scalar(
        sa.select(Payment).where(Payment.document_id == document.id, Payment.returned_on.is_(None))
    )


def bound_problem(payment: Payment) -> str | None:
    """Why this credit stays on the invoice it was given for, in words, or None.

    A write-off or a financing takes off what is owed and is no money of the customer's: taken
    off the invoice it could be paid out.
    """
    document = payment.document
    if document is None or document.kind not in ONLY_WHAT_IS_OWED:
        return None
    if document.kind is InvoiceKind.WRITE_OFF:
        return "This was written off: no money came in. Unpost the write-off instead."
    return "Somebody else took this over: no money came in. Undo the financing instead."


def _credit_type() -> PaymentType:
    """The house's own way to pay whose account is Customer Deposits itself."""
    query = sa.select(PaymentType).where(
        PaymentType.account_id == account_id_for(AccountRole.CUSTOMER_DEPOSITS),
        PaymentType.online,
    )
    return db.session.scalars(query).one()


def _credit_of(document: Invoice, kind: PaymentType) -> Payment:
    assert document.invoice_date is not None
    return Payment(
        customer_id=document.customer_id,
        type=kind,
        amount=-document.total,
        unapplied=-document.total,
        received_on=document.invoice_date,
        reference=document.number,
        state=PaymentState.POSTED,  # as final as its document, and never in a batch of money
        origin=PaymentOrigin.DOCUMENT,
        document=document,
        applications=[],
    )


def _use_for_original(credit: Payment) -> list[PaymentApplication]:
    document = credit.document
    assert document is not None
    original = document.adjusts
    if original is None or document.kind is InvoiceKind.REFUND:  # a refund's is paid out
        return []
    shares = shares_that_fit(
        [(original, credit.amount)], customer_id=credit.customer_id, up_to=credit.amount
    )
    for _, share in shares:
        credit.unapplied -= share
    return put_on_invoices(credit, shares, on=credit.received_on)


def _tell_of_credits(given: Sequence[Payment]) -> None:
    record_many(
        [
            Happening(
                "credited",
                "payment",
                credit.id,
                f"{credit.amount} of credit given by {credit.reference}.",
            )
            for credit in given
        ]
    )
