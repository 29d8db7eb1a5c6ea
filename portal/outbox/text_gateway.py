"""The one door to text messages: what we ask of a gateway, and the one that keeps them here."""

from __future__ import annotations

from typing import Protocol

from flask import current_app

from portal.kernel.errors import OutsideFailure
from portal.outbox.text_records import Text, TextTaken
from portal.outbox.twilio import TwilioTexts
from portal.settings import Settings

RECEIPTS, INCOMING = "/hooks/texts/receipts", "/hooks/texts/incoming"  # told to the gateway


class TextGateway(Protocol):
    """Takes one text message. `keeps` says that nothing leaves the house."""

    @property
    def keeps(self) -> bool: ...

    def send(self, text: Text) -> TextTaken:
        """Hand one text over.

        Raises OutsideFailure when it was certainly not taken, OutcomeUnknown when nobody knows.
        """
        ...


class KeptTexts:
    """No gateway is set up: texts stay readable in the outbox."""

    keeps = True

    def send(self, text: Text) -> TextTaken:
        if not text.words.strip():
            raise OutsideFailure("A text message needs words.", permanent=True)
        return TextTaken(reference="", status="kept")


def text_gateway() -> TextGateway:
    """Twilio where its account is named in the settings, else the one that keeps."""
    settings: Settings = current_app.config["SETTINGS"]
    if not settings.twilio_account_sid:
        return KeptTexts()
    return TwilioTexts(
        settings.twilio_account_sid, settings.twilio_auth_token, settings.twilio_from,
        receipts_to=f"{settings.base_url}{RECEIPTS}",
    )  # fmt: skip


def texts_are_kept() -> bool:
    """Whether texts stay here because no gateway is set up; say so instead of “sent”."""
    return text_gateway().keeps
