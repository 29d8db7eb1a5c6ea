"""What a text gateway tells us of itself: receipts of what we sent, and texts people sent us."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from portal.audit import Happening, record_many
from portal.db import db
from portal.kernel import clock
from portal.models import Message, MessageState

STOPS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT",
                   "ARRET", "ARRÊT", "ALTO", "PARAR", "BAJA"})  # fmt: skip
STARTS = frozenset({"START", "UNSTOP", "YES"})
HELPS = frozenset({"HELP", "INFO", "AIDE", "AYUDA"})


@dataclass(frozen=True)
class TextReceipt:
    """What became of a text: `arrived` or not, and why."""

    reference: str
    arrived: bool
    failed: bool
    because: str = ""


@dataclass(frozen=True)
class TextCameIn:
    """Somebody wrote to our number; `reference` is the gateway's own, unique."""

    reference: str
    sender: str
    words: str

    @property
    def meaning(self) -> str:
        """stop, start, help, or nothing: the first word decides, as carriers do it."""
        first = self.words.strip().split(" ", 1)[0].strip(".,!\"'").upper() if self.words else ""
        if first in STOPS:
            return "stop"
        if self.words.strip().upper().rstrip(".!") in STARTS:
            return "start"
        return "help" if first in HELPS else ""


def note_receipt(receipt: TextReceipt) -> bool:
    """Keep that a text arrived, or came back with the reason; False when it is not ours.

    Receipts come in any order and more than once: the first end counts.
    """
    if not receipt.reference:
        return False
    message = db.session.scalar(
        sa.select(Message).where(
            sa.text("outside_ref <> ''"), Message.outside_ref == receipt.reference
        )
    )
    if message is None:
        return False
    if receipt.arrived and message.delivered_at is None:
        message.delivered_at = clock.now()
    elif receipt.failed and message.bounced_at is None and message.delivered_at is None:
        message.bounced_at, message.bounced_because = clock.now(), receipt.because[:500]
        if message.state is MessageState.SENT and message.subject_id is not None:
            sentence = f"The text to {message.recipient} did not arrive: {receipt.because}"
            record_many([Happening("bounced", message.subject_kind, message.subject_id, sentence)])
    return True
