"""Twilio's Messages API, the only module that knows how it speaks."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from portal.kernel.errors import OutsideFailure
from portal.outbox.text_records import OutcomeUnknown, Text, TextTaken

API = "https://api.twilio.com"
PATIENCE = 15.0  # seconds


class TwilioTexts:
    """Sends through one account. Twilio knows no idempotency key for messages, so a text whose
    answer was lost is never sent again by itself (OutcomeUnknown)."""

    keeps = False

    def __init__(self, account: str, token: str, sender: str, *, api: str = API,
                 patience: float = PATIENCE) -> None:  # fmt: skip
        self._account, self._sender, self._api = account, sender, urlsplit(api)
        self._patience = patience
        self._proof = base64.b64encode(f"{account}:{token}".encode()).decode()

    def send(self, text: Text) -> TextTaken:
        if not text.words.strip():
            raise OutsideFailure("A text message needs words.", permanent=True)
        status, answer = self._ask(text)
        if status < 300:
            return TextTaken(str(answer.get("sid", "")), str(answer.get("status", "")))
        said = f"The text gateway answered {status} {answer.get('message', '')}".strip()
        if status >= 500:
            raise OutcomeUnknown(said)
        busy_or_locked_out = status in (401, 403, 429)
        raise OutsideFailure(said, permanent=not busy_or_locked_out)

    def _ask(self, text: Text) -> tuple[int, dict[str, Any]]:
        line = self._line()
        try:
            line.connect()
        except OSError as error:
            line.close()
            raise OutsideFailure(f"The text gateway could not be reached: {error}") from error
        try:
            return self._talk(line, text)
        except (OSError, http.client.HTTPException) as error:
            raise OutcomeUnknown(f"The text gateway did not answer ({error!r})") from error
        finally:
            line.close()

    def _talk(self, line: http.client.HTTPConnection, text: Text) -> tuple[int, dict[str, Any]]:
        form = urlencode({"To": text.recipient, "From": self._sender, "Body": text.words})
        line.request(
            "POST",
            f"/2010-04-01/Accounts/{self._account}/Messages.json",
            form,
            {
                "Authorization": f"Basic {self._proof}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Idempotency-Key": text.key,
            },
        )
        reply = line.getresponse()
        body = reply.read()
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}
        return reply.status, answer if isinstance(answer, dict) else {}

    def _line(self) -> http.client.HTTPConnection:
        kind = (
            http.client.HTTPSConnection
            if self._api.scheme == "https"
            else http.client.HTTPConnection
        )
        return kind(str(self._api.hostname), self._api.port, timeout=self._patience)
