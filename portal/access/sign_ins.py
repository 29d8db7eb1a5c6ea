"""Server-side sign-ins: a random token in a cookie, its SHA-256 in the database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import acting_as, record
from portal.db import db, note_in_passing
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.models import BillingAccess, Contact, Customer, SignIn, User

STAFF_IDLE, STAFF_LONGEST = timedelta(hours=12), timedelta(days=7)
PAYER_IDLE, PAYER_LONGEST = timedelta(days=14), timedelta(days=60)
TOUCH_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class Payer:
    """A signed-in customer: an email address and the contacts it stands for."""

    email: str
    contacts: tuple[Contact, ...]
    sign_in_id: int

    @property
    def customer_ids(self) -> list[int]:
        return [contact.customer_id for contact in self.contacts]

    @property
    def name(self) -> str:
        return self.contacts[0].name if self.contacts else self.email

    @property
    def language(self) -> str:
        return self.contacts[0].language if self.contacts else "en"

    def may_pay(self, customer_id: int) -> bool:
        return any(
            one.customer_id == customer_id and one.billing_access is BillingAccess.PAY
            for one in self.contacts
        )


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def sign_in_user(user: User, *, ip: str, agent: str) -> str:
    """A new signed-in browser of a staff member; returns the token for its cookie."""
    with acting_as(f"{user.name} (staff {user.id})"):
        record("signed in", user, f"{user.name} signed in from {ip or 'an unknown address'}.")
    return _sign_in(SignIn(user_id=user.id), STAFF_LONGEST, ip, agent)


def sign_in_payer(email: str, *, ip: str, agent: str) -> str:
    """A new signed-in browser of a customer; returns the token for its cookie."""
    words = f"{email} signed in to the portal from {ip or 'an unknown address'}."
    with acting_as(f"{email} (customer)"):
        for contact in db.session.scalars(sa.select(Contact).where(Contact.email == email)):
            contact.last_signed_in_at = clock.now()
            record("signed in", contact, words)
    return _sign_in(SignIn(contact_email=email), PAYER_LONGEST, ip, agent)


def _sign_in(row: SignIn, longest: timedelta, ip: str, agent: str) -> str:
    token = secrets.token_urlsafe(32)
    row.token_hash, row.ip, row.agent = digest(token), ip, agent[:200]
    row.last_seen_at = clock.now()
    row.expires_at = clock.now() + longest
    db.session.add(row)
    db.session.flush()
    return token


def user_of_token(token: str) -> tuple[User, SignIn] | None:
    """The staff member behind a cookie, unless the sign-in ended, idled out or was deactivated."""
    row = _live(token, STAFF_IDLE)
    if row is None or row.user is None or not row.user.active:
        return None
    return row.user, row


def payer_of_token(token: str) -> tuple[Payer, SignIn] | None:
    """The customer behind a cookie, with the contacts that have billing access today."""
    row = _live(token, PAYER_IDLE)
    if row is None or row.contact_email is None:
        return None
    contacts = db.session.scalars(
        sa.select(Contact)
        .join(Customer)
        .where(
            Contact.email == row.contact_email,
            Contact.active,
            Contact.billing_access != BillingAccess.NONE,
            Customer.active,
        )
        .order_by(Customer.name)
        .options(joinedload(Contact.customer))
    ).all()
    if not contacts:
        return None
    return Payer(row.contact_email, tuple(contacts), row.id), row


def touch(sign_in_id: int, last_seen_at: datetime) -> None:
    """Remember that the browser was seen, at most every five minutes.

    A mark that may be lost; call it when the request's own transaction has ended.
    """
    if clock.now() - last_seen_at < TOUCH_EVERY:
        return
    note_in_passing(
        sa.update(SignIn).where(SignIn.id == sign_in_id).values(last_seen_at=clock.now())
    )


def sign_ins_of(*, user_id: int | None = None, email: str | None = None) -> list[SignIn]:
    """Open sign-ins of one person, newest first."""
    mine = SignIn.user_id == user_id if user_id else SignIn.contact_email == email
    query = (
        sa.select(SignIn)
        .where(mine, SignIn.ended_at.is_(None), SignIn.expires_at > clock.now())
        .order_by(SignIn.id.desc())
    )
    return list(db.session.scalars(query))


def end_sign_in(token: str) -> None:
    """Sign out: the token is worthless from now on, wherever it was copied to."""
    row = db.session.scalar(
        sa.select(SignIn).where(SignIn.token_hash == digest(token), SignIn.ended_at.is_(None))
    )
    if row is not None:
        _end(row)


def end_sign_in_of(
    sign_in_id: int, *, user_id: int | None = None, email: str | None = None
) -> None:
    """End one of one's own sign-ins; NotFound for anybody else's."""
    row = db.session.get(SignIn, sign_in_id)
    if row is None or (row.user_id, row.contact_email) != (user_id, email):
        raise NotFound("No such sign-in.")
    if row.ended_at is None:
        _end(row)


def _end(row: SignIn) -> None:
    row.ended_at = clock.now()
    if row.user is not None:
        with acting_as(f"{row.user.name} (staff {row.user.id})"):
            record("signed out", row.user, f"{row.user.name} signed a browser out.")
        return
    with acting_as(f"{row.contact_email} (customer)"):
        for contact in db.session.scalars(
            sa.select(Contact).where(Contact.email == row.contact_email)
        ):
            record("signed out", contact, f"{row.contact_email} signed a browser out.")


def _live(token: str, idle: timedelta) -> SignIn | None:
    now = clock.now()
    return db.session.scalar(
        sa.select(SignIn)
        .where(
            SignIn.token_hash == digest(token),
            SignIn.ended_at.is_(None),
            SignIn.expires_at > now,
            SignIn.last_seen_at > now - idle,
        )
        .options(joinedload(SignIn.user).joinedload(User.role))
    )
