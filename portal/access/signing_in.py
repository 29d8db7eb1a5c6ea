"""Checking a staff member's password."""

from __future__ import annotations

import sqlalchemy as sa

from portal.access.passwords import hash_password, is_outdated, matches
from portal.access.sign_ins import digest
from portal.access.throttling import count_try, network_of
from portal.audit import Happening, record_many
from portal.db import db
from portal.models import User


def check_password(email: str, password: str, *, ip: str) -> User | None:
    """The active staff member with this email and password, or None; unknown costs the same.

    Raises TooManyTries after 10 tries per person and network address, 50 per network address
    or 100 per person in 15 minutes: a stranger's ten wrong tries do not lock the person out.
    """
    wanted, network = email.strip().lower(), network_of(ip)
    count_try("staff sign-in ip", network, limit=50, minutes=15)
    count_try("staff sign-in", f"{wanted} {network}", limit=10, minutes=15)
    count_try("staff sign-in person", wanted, limit=100, minutes=15)
    user = db.session.scalar(sa.select(User).where(User.email == wanted, User.active))
    if not matches(user.password_hash if user else "", password) or user is None:
        note_failed_sign_in(user, "a wrong password", ip=ip)
        return None
    if is_outdated(user.password_hash):
        user.password_hash = hash_password(password)
    return user


def note_failed_sign_in(user: User | None, why: str, *, ip: str) -> None:
    """Keep in the trail that somebody did not get in; committed, for the request is refused.

    The address of a stranger is not kept: people type their password into that field.
    """
    who = f"Somebody tried to sign in as {user.name}" if user else "A stranger tried to sign in"
    sentence = f"{who} from {ip or 'an unknown address'}: {why if user else 'nobody we know'}."
    subject_id = user.id if user else 0
    record_many([Happening("sign-in failed", "user", subject_id, sentence)])
    db.session.commit()


def fingerprint_of(user: User) -> str:
    """Changes with the password, the second factor and the person being active.

    Who waits for the code of the second factor shows it again: a password that was replaced
    meanwhile no longer counts.
    """
    return digest(f"{user.password_hash} {user.totp_secret} {user.active}")[:24]
