"""The one door to a mail server."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

from portal.kernel.errors import OutsideFailure


@dataclass(frozen=True)
class Refusal:
    """What the server said of one address: for good, or only for now."""

    code: int
    text: str

    @property
    def is_for_now(self) -> bool:
        return self.code < 500

    @property
    def condemns(self) -> bool:
        """The address takes no mail; 5.7 is about us (relaying denied, not signed in)."""
        about_us = "5.7." in self.text or "relay" in self.text.lower()
        return not self.is_for_now and not about_us

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class RecipientRefused(OutsideFailure):
    """The server takes no mail for this address: what a bounce would say later."""


def send_mail(smtp_url: str, mail: EmailMessage) -> dict[str, Refusal]:
    """Hand one mail over. smtp://user:password@host:587?starttls=1 or smtps://host.

    Returns the addresses that were refused while others were taken, with what it said. Raises
    OutsideFailure, permanent when the server refuses these recipients or the content for good.
    """
    host = urlsplit(smtp_url).hostname
    try:
        with _connect(smtp_url) as server:
            refused = server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        said = _said(error.recipients.values())
        # 5.7 is about us (relaying denied, not signed in), not about the address
        kind = OutsideFailure if "5.7." in said or "relay" in said.lower() else RecipientRefused
        raise kind(
            f"The mail server refused the recipient: {said}",
            permanent=all(code >= 500 for code in codes),
        ) from error
    except smtplib.SMTPResponseException as error:
        said = (
            str(error.smtp_error, "utf-8", "replace")
            if isinstance(error.smtp_error, bytes)
            else error.smtp_error
        )
        permanent = error.smtp_code >= 500 and not isinstance(
            error, smtplib.SMTPAuthenticationError
        )
        raise OutsideFailure(
            f"The mail server answered {error.smtp_code} {said}", permanent=permanent
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise OutsideFailure(f"The mail server {host} could not be reached: {error}") from error
    return {
        address: Refusal(code, text.decode("utf-8", "replace"))
        for address, (code, text) in refused.items()
    }


def _said(answers: Iterable[tuple[int, bytes]]) -> str:
    return "; ".join(f"{code} {text.decode('utf-8', 'replace')}" for code, text in answers)


def mail_server_answers(smtp_url: str) -> str | None:
    """None when the server takes our sign-in, else what is wrong in words."""
    try:
        with _connect(smtp_url) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        return f"The mail server does not answer as it should: {error}"
    return None


def _connect(smtp_url: str) -> smtplib.SMTP:
    parts = urlsplit(smtp_url)
    host = parts.hostname or "localhost"
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=20, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=20)
    if parse_qs(parts.query).get("starttls") == ["1"]:
        server.starttls(context=ssl.create_default_context())
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server
