"""Emailed sign-in links: 256-bit, stored hashed, ten minutes, single use, consumed by POST."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask import current_app

from portal.access.sign_ins import digest
from portal.access.throttling import count_try, network_of
from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import BillingAccess, Contact, Customer, SignInLink, User
from portal.settings import Settings

LIFETIME = timedelta(minutes=10)
SPENT = "This link has expired or was already used. Ask for a new one; it takes a minute."


@dataclass(frozen=True)
class MailedLink:
    """What a mail needs: the seed, worthless without the key of the house, and the language.

    Only who sends the mail makes the token of it (`token_of_seed`), so that nobody who reads
    the outbox, or the database, can sign in as the customer.
    """

    seed: str
    language: str


def request_customer_link(email: str, *, ip: str) -> MailedLink | None:
    """A link to email, or None for an address nobody has; the caller answers the same.

    Raises TooManyTries after 5 requests per address and network address, 20 per address or
    60 per network address in 15 minutes.
    """
    wanted, network = email.strip().lower(), network_of(ip)
    count_try("link ip", network, limit=60, minutes=15)
    count_try("link", f"{wanted} {network}", limit=5, minutes=15)
    count_try("link address", wanted, limit=20, minutes=15)
    language = db.session.scalar(
        sa.select(Contact.language)
        .join(Customer)
        .where(
            Contact.email == wanted,
            Contact.email != "",
            Contact.active,
            Contact.billing_access != BillingAccess.NONE,
            Customer.active,
        )
        .order_by(Customer.name)
        .limit(1)
    )
    if language is None:
        return None
    seed = secrets.token_urlsafe(32)
    _keep_link(token_of_seed(seed), wanted, "customer", LIFETIME)
    return MailedLink(seed, language)


def token_of_seed(seed: str) -> str:
    """The token a mailed seed stands for: 256 bits that only the key of this house gives."""
    settings: Settings = current_app.config["SETTINGS"]
    words = f"sign-in link {seed}".encode()
    sealed = hmac.new(settings.secret_key.encode(), words, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def staff_link(user: User, *, lifetime: timedelta = LIFETIME) -> str:
    """A one-time token for a staff member; printed by `make run`, never emailed."""
    return _new_link(user.email, "staff", lifetime)


def customer_link(email: str, *, lifetime: timedelta = LIFETIME) -> str:
    """A one-time token for a customer's address; for the demo and for staff to hand over."""
    return _new_link(email.strip().lower(), "customer", lifetime)


def find_link(token: str, scope: str) -> SignInLink | None:
    """The link while it can still be used; looking changes nothing (mail scanners look)."""
    link = db.session.scalar(
        sa.select(SignInLink).where(
            SignInLink.token_hash == digest(token), SignInLink.scope == scope
        )
    )
    usable = link is not None and link.used_at is None and link.expires_at > clock.now()
    return link if usable else None


def consume_link(token: str, scope: str) -> str:
    """Use the link up and return its email address; DomainError when it is spent.

    Compare-and-set: of two who press the button at once, one gets in.
    """
    email = db.session.scalar(
        sa.update(SignInLink)
        .where(
            SignInLink.token_hash == digest(token),
            SignInLink.scope == scope,
            SignInLink.used_at.is_(None),
            SignInLink.expires_at > clock.now(),
        )
        .values(used_at=clock.now())
        .returning(SignInLink.email)
        .execution_options(synchronize_session=False)
    )
    if email is None:
        raise DomainError(SPENT)
    return email


def _new_link(email: str, scope: str, lifetime: timedelta) -> str:
    token = secrets.token_urlsafe(32)
    _keep_link(token, email, scope, lifetime)
    return token


def _keep_link(token: str, email: str, scope: str, lifetime: timedelta) -> None:
    db.session.add(
        SignInLink(
            token_hash=digest(token),
            scope=scope,
            email=email,
            expires_at=clock.now() + lifetime,
        )
    )
    db.session.flush()
