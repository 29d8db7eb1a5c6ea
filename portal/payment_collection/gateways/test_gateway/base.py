"""What every part of the TEST GATEWAY shares."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import Any

import sqlalchemy as sa

from portal.models import TestCheckout, TestGatewayObject


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


def object_by(session: Any, column: Any, value: str) -> TestGatewayObject | None:
    query = sa.select(TestGatewayObject).where(column == value)
    found: TestGatewayObject | None = session.scalar(query)
    return found


def objects_of(session: Any, kind: str, parent_ref: str) -> list[TestGatewayObject]:
    """What of a kind belongs to something else, oldest first."""
    query = (
        sa.select(TestGatewayObject)
        .where(TestGatewayObject.kind == kind, TestGatewayObject.parent_ref == parent_ref)
        .order_by(TestGatewayObject.id)
    )
    return list(session.scalars(query))


def event_about(kind: str, *, payment_ref: str, object_ref: str) -> bytes:
    """A webhook's body about a refund or a dispute."""
    event = {
        "id": f"tevt_{secrets.token_urlsafe(16)}",
        "type": kind,
        "reference": "",
        "session": "",
        "payment": payment_ref,
        "object": object_ref,
    }
    return json.dumps(event).encode()
