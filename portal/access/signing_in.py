"""Checking a staff member's password."""

from __future__ import annotations

import sqlalchemy as sa

from portal.access.passwords import hash_password, is_outdated, matches
from portal.access.throttling import count_try
from portal.db import db
from portal.models import User


def check_password(email: str, password: str, *, ip: str) -> User | None:
    """The active staff member with this email and password, or None; unknown costs the same.

    Raises TooManyTries after 10 tries per address or 50 per network address in 15 minutes.
    """
    wanted = email.strip().lower()
    count_try("staff sign-in ip", ip, limit=50, minutes=15)
    count_try("staff sign-in", wanted, limit=10, minutes=15)
    user = db.session.scalar(sa.select(User).where(User.email == wanted, User.active))
    if not matches(user.password_hash if user else "", password) or user is None:
        return None
    if is_outdated(user.password_hash):
        user.password_hash = hash_password(password)
    return user
