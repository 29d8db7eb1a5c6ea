"""One statement from figures to the outbox or the print list, kept as it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.access import new_nonce
from portal.audit import Happening, record_many
from portal.company import company, format_day, format_money
from portal.db import db
from portal.files import keep_bytes, open_file
from portal.invoices import copy_addresses, portal_url
from portal.kernel.errors import DomainError, NotFound
from portal.kernel.money import ZERO
from portal.models import (
    Channel,
    Statement,
    StatementInvoice,
    StatementItem,
    StatementKind,
    User,
)
from portal.outbox import (
    Attachment,
    Values,
    Words,
    locale_of,
    mail_is_kept,
    spoken,
    words_for,
    write_letter,
    write_message,
)
from portal.statements.computing import Account
from portal.statements.deciding import Decision
from portal.statements.links import hash_of_nonce, statement_link
from portal.statements.printing import statement_name, statement_pdf

PAST_DUE = {
    "en": "{} of it is past due.",
    "es": "{} ya ha vencido.",
    "fr": "{} sont en retard.",
}
MADE = 1_000  # rows of one INSERT


@dataclass(frozen=True)
class Prepared:
    """A statement whose PDF is made and lies in the files, but which nobody got yet."""

    account: Account
    nonce: str
    file_key: str


def prepare(account: Account, *, copies: bool = False) -> Prepared:
    """Render and keep the PDF; outside a write transaction, because that takes long."""
    nonce = new_nonce()
    paper = statement_pdf(account, pay_url=statement_link(nonce), copies=copies)
    return Prepared(account, nonce, keep_bytes(paper, "pdf", "application/pdf").key)


def keep(
    prepared: Prepared,
    decision: Decision,
    *,
    words: Words | None = None,
    cc: Sequence[str] | None = None,
    item: StatementItem | None = None,
    by: User | None = None,
) -> Statement:
    """The row, its link and its messages, in the caller's transaction.

    Raises DomainError when it goes nowhere, InvalidFields for an address no mail can go to.
    """
    if not decision.leaves:
        raise DomainError(decision.why)
    statement = _row(prepared, decision, item, by)
    db.session.add(statement)
    db.session.flush()
    _add_invoices(statement, prepared.account)
    _mail(statement, prepared.account, decision, words, cc)
    _tell(statement, decision)
    return statement


def statement_bytes(statement_id: int) -> bytes:
    """The PDF as it was sent; NotFound when the row or its file is gone."""
    statement = db.session.get(Statement, statement_id)
    if statement is None:
        raise NotFound("No such statement.")
    try:
        return open_file(statement.file_key)
    except OSError as error:
        raise NotFound("The file of this statement is gone from the server.") from error


def statement_values(account: Account, link: str, language: str) -> Values:
    """What the placeholders of a statement's mail stand for."""
    standing = account.standing
    due = standing.due if standing.due > ZERO else ZERO
    overdue = standing.aging.total - standing.aging.current - standing.aging.no_term
    said = format_money(overdue, locale_of(language), company().currency)
    return {
        "customer_name": account.customer.name,
        "total": standing.aging.total,
        "balance": due if due else "",
        "date": account.wanted.ends_on,
        "pay_link": link if due else "",
        "portal_link": portal_url(),
        "summary": PAST_DUE[language].format(said) if overdue else "",
        "company_name": company().name,
    }


def _row(
    prepared: Prepared, decision: Decision, item: StatementItem | None, by: User | None
) -> Statement:
    account = prepared.account
    return Statement(
        customer_id=account.customer.id,
        run_id=item.run_id if item else None,
        item_id=item.id if item else None,
        kind=account.wanted.kind,
        starts_on=account.wanted.starts_on,
        ends_on=account.wanted.ends_on,
        customer_name=account.customer.name,
        postal_code=account.customer.postal_code,
        opening=account.opening,
        charges=account.charges,
        credits=account.credits,
        closing=account.closing,
        due=account.standing.due,
        file_key=prepared.file_key,
        nonce=prepared.nonce,
        token_hash=hash_of_nonce(prepared.nonce),
        sent_to=", ".join(decision.to),
        to_print=decision.prints,
        sent_by_id=by.id if by else None,
    )


def _add_invoices(statement: Statement, account: Account) -> None:
    rows: list[dict[str, Any]] = [
        {"statement_id": statement.id, "invoice_id": one.invoice_id, "open_amount": one.open}
        for one in account.standing.items
    ]
    for start in range(0, len(rows), MADE):
        db.session.execute(sa.insert(StatementInvoice), rows[start : start + MADE])


def _mail(
    statement: Statement,
    account: Account,
    decision: Decision,
    words: Words | None,
    cc: Sequence[str] | None,
) -> None:
    """One mail to each address; the first carries the copies, as with invoices."""
    language = spoken(account.customer.language)
    values = statement_values(account, statement_link(statement.nonce), language)
    letter = write_letter(
        words or words_for("statement", Channel.EMAIL, language), values, language
    )
    copies = copy_addresses(account.customer) if cc is None else cc
    for place, address in enumerate(decision.to):
        write_message(
            kind="statement",
            recipient=address,
            cc=[] if place else [one for one in copies if one not in decision.to],
            subject=letter.subject,
            body=letter.text,
            html=letter.html(language),
            language=language,
            dedupe_key=f"statement-{statement.id}-{address}",
            about=statement,
            customer_id=statement.customer_id,
            attachments=[Attachment("statement", statement.id, statement_name(account))],
        )


def _tell(statement: Statement, decision: Decision) -> None:
    """The customer's timeline says what is true: kept is not sent."""
    day = format_day(statement.ends_on, company().locale)
    kind = "balance forward" if statement.kind is StatementKind.BALANCE_FORWARD else "open items"
    what = f"A statement ({kind}, {day}, {statement.due} due)"
    sentences = []
    if decision.to:
        to = ", ".join(decision.to)
        kept = mail_is_kept()
        sentences.append(
            f"{what} for {to} is kept in the outbox: nothing was sent."
            if kept
            else f"{what} goes to {to} by email."
        )
    if decision.prints:
        sentences.append(f"{what} is on the list to print.")
    record_many(
        [Happening("statement", "customer", statement.customer_id, one) for one in sentences]
    )
