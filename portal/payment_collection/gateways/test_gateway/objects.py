"""Rows of the TEST GATEWAY: made once per idempotency key, found under lock, told of."""

from __future__ import annotations

import json
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.kernel.errors import OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import TestGatewayObject


def made_once(
    session: Session,
    kind: str,
    reference: str,
    prefix: str,
    *,
    parent_ref: str = "",
    state: str = "",
    amount: Money = ZERO,
    data: dict[str, Any],
) -> TestGatewayObject:
    """The row of this idempotency key, made when it is not there yet."""
    key = f"{kind}:{reference}"
    query = sa.select(TestGatewayObject).where(TestGatewayObject.key == key)
    if row := session.scalar(query):
        return row
    ref = f"{prefix}_{secrets.token_urlsafe(16)}"
    row = TestGatewayObject(
        ref=ref, kind=kind, key=key, parent_ref=parent_ref, state=state, amount=amount, data=data
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
        return row
    except IntegrityError:  # the same request came twice at once
        return session.scalars(query).one()


def found(session: Session, kind: str, ref: str) -> TestGatewayObject:
    """Raises OutsideFailure (missing), as a processor answers for a thing it never had."""
    row = session.scalar(
        sa.select(TestGatewayObject)
        .where(TestGatewayObject.kind == kind, TestGatewayObject.ref == ref)
        .with_for_update()
    )
    if row is None:
        raise OutsideFailure(f"TEST GATEWAY: no such {kind}.", permanent=True, missing=True)
    return row


def told(kind: str, **words: str) -> bytes:
    """A webhook's body."""
    return json.dumps({"id": f"tevt_{secrets.token_urlsafe(16)}", "type": kind, **words}).encode()
