"""The credit that a posted document gives: made, used for what it corrects, and taken back."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from portal.audit import Happening, record_many
from portal.db import db
from portal.invoices import DocumentsCredited
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
