"""A last look before a message leaves: whoever had it written may say that it must not any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app

from portal.models import Message

KEY = "objections to messages"


@dataclass(frozen=True)
class Objection:
    """Why it must not leave now; without `until` it never leaves."""

    sentence: str
    until: datetime | None = None


Objector = Callable[[Message], Objection | None]


def object_by(kind: str, objector: Objector) -> None:
    """Ask `objector` before any message of this kind leaves; called by wiring."""
    current_app.extensions.setdefault(KEY, {})[kind] = objector


def objection_to(message: Message) -> Objection | None:
    """What speaks against sending it now; None when nothing does."""
    objectors: dict[str, Objector] = current_app.extensions.get(KEY, {})
    objector = objectors.get(message.kind)
    return objector(message) if objector else None
