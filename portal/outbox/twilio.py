"""Twilio's Messages API, the only module that knows how it speaks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from portal.kernel.errors import OutsideFailure
from portal.outbox.text_hooks import TextCameIn, TextReceipt
from portal.outbox.text_records import OutcomeUnknown, Text, TextTaken

API = "https://api.twilio.com"
PATIENCE = 15.0  # seconds


class TwilioTexts:
    """Sends through one account. Twilio knows no idempotency key for messages, so a text whose
    answer was lost is never sent again by itself (OutcomeUnknown)."""

    keeps = False

    def __init__(self, account: str, token: str, sender: str, *, api: str = API,
                 patience: float = PATIENCE, receipts_to: str = "") -> None:  # fmt: skip
        self._receipts_to = receipts_to
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
        said = {"To": text.recipient, "From": self._sender, "Body": text.words}
        if self._receipts_to:
            said["StatusCallback"] = self._receipts_to
        form = urlencode(said)
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


def signed_by_twilio(url: str, form: Mapping[str, str], signature: str, *, token: str) -> bool:
    """Whether Twilio signed this request: HMAC-SHA1 over the address and the sorted fields.

    Source: twilio.com/docs/usage/security. False for an empty token or signature.
    """
    said = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    proof = hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()
    expected = base64.b64encode(proof).decode()
    return bool(token and signature) and hmac.compare_digest(
        expected.encode(), signature.encode("utf-8", "replace")
    )


def read_receipt(form: Mapping[str, str]) -> TextReceipt:
    """A status callback of a message we sent."""
    status = form.get("MessageStatus") or form.get("SmsStatus") or ""
    code = form.get("ErrorCode", "")
    because = f"the gateway says {status}" + (f" (error {code})" if code else "")
    return TextReceipt(
        form.get("MessageSid", ""),
        arrived=status in ("delivered", "read"),
        failed=status in ("undelivered", "failed"),
        because=because,
    )


def read_incoming(form: Mapping[str, str]) -> TextCameIn:
    """A text somebody sent to our number."""
    return TextCameIn(form.get("MessageSid", ""), form.get("From", ""), form.get("Body", "")[:1600])
