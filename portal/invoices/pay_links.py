"""Guest links: whoever holds one sees and pays that one invoice, nothing else."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from flask import current_app

from portal.access import guest_token, new_nonce, token_hash
from portal.audit import record
from portal.db import db, is_reading, own_transaction
from portal.invoices.events import InvoicesPosted
from portal.kernel import clock
from portal.models import Invoice, PayLink
from portal.settings import Settings


def pay_link_url(invoice: Invoice) -> str:
    """The invoice's current guest address, made on first use.

    The token is a 256-bit HMAC of a random nonce, so it can be printed again on every copy
    while the database stores only its SHA-256.
    """
    return _url(_live_link(invoice) or _make_link(invoice))


def known_pay_link_url(invoice: Invoice) -> str:
    """The guest address if there is one already; looking at a draft never makes one."""
    link = _live_link(invoice)
    return _url(link) if link else ""


def invoice_of_token(token: str) -> Invoice | None:
    """The invoice a guest may see, or None for unknown and revoked links."""
    return db.session.scalar(
        sa.select(Invoice)
        .join(PayLink)
        .where(PayLink.token_hash == token_hash(token), PayLink.revoked_at.is_(None))
    )


def revoke_pay_links(invoice: Invoice) -> int:
    """Make every link sent so far useless; returns how many. The next one is new."""
    links = db.session.scalars(
        sa.select(PayLink).where(PayLink.invoice_id == invoice.id, PayLink.revoked_at.is_(None))
    ).all()
    for link in links:
        link.revoked_at = clock.now()
    if links:
        record("pay links revoked", invoice, "Guest pay links sent so far no longer work.")
    return len(links)


def make_pay_links(event: InvoicesPosted) -> None:
    """Every invoice that can be paid has its link when it is posted: printing need not write."""
    payable = [one.id for one in event.invoices if one.is_payable]
    known = set(db.session.scalars(_LINKED, {"ids": payable})) if payable else set()
    rows = [_new_link(one) for one in payable if one not in known]
    if rows:  # into the table: nobody needs the objects
        db.session.execute(_ADD_LINKS, rows if len(rows) > 1 else rows[0])


_LINKS = cast(sa.Table, PayLink.__table__)
_LINKED = sa.select(_LINKS.c.invoice_id).where(
    _LINKS.c.revoked_at.is_(None), _LINKS.c.invoice_id.in_(sa.bindparam("ids", expanding=True))
)
_ADD_LINKS = _LINKS.insert().inline()


def _live_links() -> sa.Select[PayLink]:
    return sa.select(PayLink).where(PayLink.revoked_at.is_(None))


def _live_link(invoice: Invoice) -> PayLink | None:
    mine = _live_links().where(PayLink.invoice_id == invoice.id)
    return db.session.scalar(mine.order_by(PayLink.id).limit(1))


def _make_link(invoice: Invoice) -> PayLink:
    link = PayLink(**_new_link(invoice.id))
    if is_reading():  # a page that is only looked at makes the link apart
        with own_transaction() as session:
            session.add(link)
            session.flush()
            session.expunge(link)
    else:
        db.session.add(link)
        db.session.flush()
    return link


def _new_link(invoice_id: int) -> dict[str, Any]:
    nonce = new_nonce()
    return {"invoice_id": invoice_id, "nonce": nonce, "token_hash": token_hash(_token(nonce))}


def _url(link: PayLink) -> str:
    settings: Settings = current_app.config["SETTINGS"]
    return f"{settings.base_url}/pay/{_token(link.nonce)}"


def _token(nonce: str) -> str:
    return guest_token("pay link", nonce)
