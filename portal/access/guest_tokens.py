"""Tokens of guest links: made again for every copy, while the database keeps a hash only."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flask import current_app


def new_nonce() -> str:
    """What a link's token is made from; kept beside its hash."""
    return secrets.token_urlsafe(32)


def guest_token(purpose: str, nonce: str) -> str:
    """A 256-bit HMAC with the installation's key: a copy of the database opens no link."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, f"{purpose} {nonce}".encode(), hashlib.sha256).hexdigest()


def token_hash(token: str) -> str:
    """What the database finds a token by."""
    return hashlib.sha256(token.encode()).hexdigest()
