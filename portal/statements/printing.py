"""Statements as PDF: in one piece, or in parts that bound the memory a long one takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from flask_babel import force_locale
from flask_babel import gettext as _

from portal.company import company
from portal.documents import forget_layouts, merge_pdfs, render_pdf
from portal.invoices import invoice_pdf
from portal.statements.computing import Account
from portal.statements.paper import PaperRow, StatementPaper, statement_paper

ROWS_AT_ONCE = 250  # lines laid out together; 5,000 at once would take hundreds of megabytes
MOST_COPIES = 40  # invoices that go along: mail servers take some megabytes only


def statement_pdf(account: Account, *, pay_url: str = "", copies: bool = False) -> bytes:
    """The statement in the customer's language; with `copies` the open invoices follow it.

    Up to ROWS_AT_ONCE lines it is one tagged document. A longer one is laid out in parts that
    are put together and numbered as one; like every merged PDF it carries no tags.
    Raises DocumentsUnavailable, and what `invoice_pdf` raises for the copies.
    """
    language = account.customer.language
    with force_locale(language):
        paper = statement_paper(account, pay_url=pay_url)
    whole = _whole(paper, language)
    appended = account.standing.items[:MOST_COPIES] if copies else ()
    if not appended:
        return whole
    papers = (invoice_pdf(one.invoice_id, link=bool(pay_url)) for one in appended)
    return merge_pdfs([whole, *papers], title=_title(account), language=language)


def statement_name(account: Account) -> str:
    """A file name that says what it is: statement-2026-03-02-Ada-Lovelace.pdf."""
    who = re.sub(r'[\\/:*?"<>|\s]+', "-", account.customer.name).strip("-.")[:60]
    return f"statement-{account.wanted.ends_on.isoformat()}-{who or account.customer.id}.pdf"


def _title(account: Account) -> str:
    return f"{company().name}, {account.wanted.ends_on.isoformat()}"


def _whole(paper: StatementPaper, language: str) -> bytes:
    if len(paper.rows) <= ROWS_AT_ONCE:
        return _render(paper, language)
    parts = []
    for rows, first, last in _parts(paper.rows):
        part = replace(paper, rows=rows)
        parts.append(_render(part, language, first=first, last=last))
        forget_layouts()
    with force_locale(language):
        page, of = str(_("Page")), str(_("of"))
    return merge_pdfs(
        parts,
        title=f"{paper.head.name}, {paper.ends_on.isoformat()}",
        language=language,
        page_words=lambda number, total: f"{page} {number} {of} {total}",
    )


def _parts(rows: Sequence[PaperRow]) -> Iterator[tuple[Sequence[PaperRow], bool, bool]]:
    for start in range(0, len(rows), ROWS_AT_ONCE):
        end = start + ROWS_AT_ONCE
        yield rows[start:end], start == 0, end >= len(rows)


def _render(
    paper: StatementPaper, language: str, *, first: bool = True, last: bool = True
) -> bytes:
    return render_pdf(
        "documents/statement.html",
        language=language,
        paper=company().paper.value,
        head=paper.head,
        sheets=["statement"] if first and last else ["statement", "unnumbered"],
        tagged=first and last,
        statement=paper,
        first=first,
        last=last,
    )
