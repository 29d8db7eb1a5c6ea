"""Password hashes: argon2id, and nothing else in this module knows passwords."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def matches(stored: str, password: str) -> bool:
    """Whether the password fits; an empty hash costs the same time and never does."""
    try:
        return _hasher.verify(stored or _nobodys_hash(), password) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether today's parameters are stronger than those of the hash."""
    return _hasher.check_needs_rehash(stored)


@cache
def _nobodys_hash() -> str:
    """What unknown people are compared with, so that they take as long as known ones."""
    return _hasher.hash("nobody's password")
