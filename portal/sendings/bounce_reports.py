"""Reports of mail that came back, in the JSON of the common providers (docs/sending.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

OURS = re.compile(r"<?message-(\d{1,9})-\d+@")
MOST = 1000  # reports in one body
UNSAID = "The mail provider gave no reason."


@dataclass(frozen=True)
class BounceReport:
    """One address that takes no mail; `message_id` is our own number, where the report has it."""

    recipient: str
    because: str
    message_id: int | None = None


def read_reports(body: bytes) -> list[BounceReport]:
    """Every permanent bounce in it; what is delayed, delivered or opened is passed over.

    Knows Amazon SES (bare or in SNS), Mailgun, Postmark, SendGrid, and our own plain shape.
    Raises ValueError for what is no JSON object or list.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(said, dict | list):
        raise ValueError("not an object")
    rows = said if isinstance(said, list) else [said]
    return [one for row in rows[:MOST] if isinstance(row, dict) for one in _read(row)]


def _read(row: dict[str, Any]) -> Iterator[BounceReport]:
    if isinstance(row.get("Message"), str) and "TopicArn" in row:  # SNS wraps SES
        row = _object(row["Message"])
    if "bounce" in row:
        yield from _ses(row)
    elif "event-data" in row:
        yield from _mailgun(_dict(row["event-data"]))
    elif row.get("RecordType") == "Bounce":
        if row.get("Type") in ("HardBounce", "BadEmailAddress"):
            yield _report(row.get("Email"), row.get("Description"), row.get("MessageID"))
    elif "event" in row:
        if row["event"] == "bounce" and row.get("type", "bounce") == "bounce":
            yield _report(row.get("email"), row.get("reason"), row.get("smtp-id"))
    elif "email" in row:
        yield _report(row["email"], row.get("reason"), row.get("message_id"))


def _ses(row: dict[str, Any]) -> Iterator[BounceReport]:
    bounce, mail = _dict(row["bounce"]), _dict(row.get("mail"))
    if bounce.get("bounceType") != "Permanent":
        return
    headers = [_dict(one) for one in _list(mail.get("headers"))]
    named = [one.get("value") for one in headers if str(one.get("name")).lower() == "message-id"]
    for one in map(_dict, _list(bounce.get("bouncedRecipients"))):
        yield _report(one.get("emailAddress"), one.get("diagnosticCode"), *named[:1])


def _mailgun(event: dict[str, Any]) -> Iterator[BounceReport]:
    if event.get("event") == "failed" and event.get("severity") == "permanent":
        status = _dict(event.get("delivery-status"))
        headers = _dict(_dict(event.get("message")).get("headers"))
        because = status.get("message") or status.get("description")
        yield _report(event.get("recipient"), because, headers.get("message-id"))


def _report(recipient: object, because: object, named: object = None) -> BounceReport:
    ours = OURS.match(str(named or ""))
    return BounceReport(
        recipient=str(recipient or "").replace("\0", "")[:254],
        because=" ".join(str(because or UNSAID).replace("\0", "").split())[:500],
        message_id=int(ours[1]) if ours else None,
    )


def _object(text: str) -> dict[str, Any]:
    try:
        return _dict(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
