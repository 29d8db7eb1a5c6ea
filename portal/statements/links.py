"""Guest links of statements: whoever holds one sees and pays that statement's invoices only."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import joinedload, selectinload

from portal.access import guest_token, token_hash
from portal.audit import record
from portal.db import db, note_in_passing
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import Invoice, Statement, StatementInvoice
from portal.settings import Settings

PURPOSE = "statement link"


def statement_link(nonce: str) -> str:
    """The address a statement is seen and paid under."""
    settings: Settings = current_app.config["SETTINGS"]
    return f"{settings.base_url}/pay/statement/{guest_token(PURPOSE, nonce)}"


def hash_of_nonce(nonce: str) -> str:
    """What the link is found by."""
    return token_hash(guest_token(PURPOSE, nonce))


def statement_of_token(token: str) -> Statement | None:
    """The statement a guest may see, or None for unknown and revoked links."""
    return db.session.scalar(
        sa.select(Statement)
        .where(Statement.token_hash == token_hash(token), Statement.revoked_at.is_(None))
        .options(
            joinedload(Statement.customer),
            selectinload(Statement.invoices)
            .joinedload(StatementInvoice.invoice)
            .joinedload(Invoice.customer),
        )
    )


def payable_of(statement: Statement) -> Sequence[Invoice]:
    """Its invoices that still can be paid and are still this customer's."""
    return [
        one.invoice
        for one in statement.invoices
        if one.invoice.is_payable and one.invoice.customer_id == statement.customer_id
    ]


def revoke_link(statement: Statement) -> None:
    """Make the link on every copy of it useless. DomainError when it is already."""
    if statement.revoked_at is not None:
        raise DomainError("The link of this statement does not work any more already.")
    statement.revoked_at = clock.now()
    record("link revoked", statement, "The pay link of this statement no longer works.")


def note_opened(statement: Statement) -> None:
    """The customer looked at it for the first time; remembered when it can be."""
    if statement.opened_at is None:
        note_in_passing(
            sa.update(Statement)
            .where(Statement.id == statement.id, Statement.opened_at.is_(None))
            .values(opened_at=clock.now())
        )
