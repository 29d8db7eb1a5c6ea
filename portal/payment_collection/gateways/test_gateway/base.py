"""What every part of the TEST GATEWAY shares."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import sqlalchemy as sa

from portal.models import TestCheckout


class TestDoor:
    """`secret` signs its webhooks."""

    __test__ = False  # pytest: not a test class

    def __init__(self, secret: str, base_url: str) -> None:
        self._secret = hashlib.sha256(f"test gateway {secret}".encode()).digest()
        self._base_url = base_url

    def sign(self, body: bytes) -> str:
        """The signature header of a webhook body."""
        return hmac.new(self._secret, body, hashlib.sha256).hexdigest()


def checkout_by(session: Any, column: Any, value: str) -> TestCheckout | None:
    found: TestCheckout | None = session.scalar(sa.select(TestCheckout).where(column == value))
    return found
