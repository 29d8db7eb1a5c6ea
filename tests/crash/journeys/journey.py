"""What a journey is made of, and what all of them ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app

from portal.db import db
from portal.kernel.money import Money
from portal.models import Message, Payment, TestGatewayObject
from portal.payment_collection import plan_autopay
from portal.tasks import look_at, run_waiting, sweep
from tests.builders import Build
from tests.conftest import MONDAY

Box = list[str]  # the mails somebody's mail server took


@dataclass(frozen=True)
class Journey:
    """`live` is safe to begin again; `check` is asked after every kill, `at_the_end` too.

    `places` are where it is struck, each with how often an undisturbed life comes there; it
    `lasts` so long by the clock.
    """

    name: str
    places: Mapping[str, int]
    prepare: Callable[[Build], object]
    live: Callable[[], None]
    check: Callable[[Box], None]
    at_the_end: Callable[[Box], None]
    lasts: timedelta = timedelta(0)

    def clearing_up(self) -> list[datetime]:
        """When the worker comes by after a kill; gateways forget a key after a day."""
        later = (timedelta(minutes=10), timedelta(hours=2), timedelta(days=3, hours=3))
        return [MONDAY + self.lasts + one for one in later]


def print_quickly(app: Flask) -> None:
    """Enclosures are not what is cut off here, and typesetting one costs more than a journey."""
    kinds = app.extensions["document renderers"]
    app.extensions["document renderers"] = dict.fromkeys(kinds, lambda _row_id: b"%PDF-1.7")


def work() -> None:
    """One turn of the worker: the schedule's part, then every row that waits."""
    db.session.commit()
    plan_autopay()
    for name, row_id in sweep():
        look_at(name, row_id)
    run_waiting()
    db.session.commit()


def gateway() -> Any:
    return current_app.extensions["gateway"]


def rows(table: Any, *wheres: Any) -> list[Any]:
    """As they are in the database now, in the order of their ids."""
    query = sa.select(table).where(*wheres).order_by(table.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def received() -> list[Payment]:
    """Money that came in."""
    return [one for one in rows(Payment) if one.amount.cents > 0]


def at_gateway(kind: str, *states: str) -> list[Money]:
    """What the gateway did, by its own rows."""
    mine = TestGatewayObject
    return [one.amount for one in rows(mine, mine.kind == kind, mine.state.in_(states))]


def messages(kind: str) -> list[Message]:
    return rows(Message, Message.kind == kind)


def message_ids(box: Box) -> list[str]:
    """The Message-ID of every mail that was handed over, repeats and all."""
    lines = (line for mail in box for line in mail.splitlines())
    return [line for line in lines if line.startswith("Message-ID:")]
