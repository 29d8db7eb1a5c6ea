"""Guest links: whoever holds one sees and pays that one invoice, nothing else."""

from __future__ import annotations

import hashlib
import hmac
import secrets

import sqlalchemy as sa
from flask import current_app

from portal.audit import record
from portal.db import db, is_reading, own_transaction
from portal.kernel import clock
from portal.models import Invoice, PayLink
from portal.settings import Settings


def pay_link_url(invoice: Invoice) -> str:
    """The invoice's current guest address, made on first use.

    The token is a 256-bit HMAC of a random nonce, so it can be printed again on every copy
    while the database stores only its SHA-256.
    """
    settings: Settings = current_app.config["SETTINGS"]
    return f"{settings.base_url}/pay/{_token(_live_link(invoice).nonce)}"


def invoice_of_token(token: str) -> Invoice | None:
    """The invoice a guest may see, or None for unknown and revoked links."""
    return db.session.scalar(
        sa.select(Invoice)
        .join(PayLink)
        .where(PayLink.token_hash == _digest(token), PayLink.revoked_at.is_(None))
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


def _live_link(invoice: Invoice) -> PayLink:
    link = db.session.scalar(
        sa.select(PayLink)
        .where(PayLink.invoice_id == invoice.id, PayLink.revoked_at.is_(None))
        .order_by(PayLink.id)
        .limit(1)
    )
    if link is None:
        nonce = secrets.token_urlsafe(32)
        link = PayLink(invoice_id=invoice.id, nonce=nonce, token_hash=_digest(_token(nonce)))
        if is_reading():  # a page that is only looked at makes the link apart
            with own_transaction() as session:
                session.add(link)
                session.flush()
                session.expunge(link)
        else:
            db.session.add(link)
            db.session.flush()
    return link


def _token(nonce: str) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, f"pay link {nonce}".encode(), hashlib.sha256).hexdigest()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
