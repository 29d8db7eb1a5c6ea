"""Sign-in links in messages: a seed while they lie here, the real link only on the way out."""

from __future__ import annotations

import re

from portal.access import LIFETIME, token_of_seed
from portal.kernel import clock
from portal.models import Message

SIGN_IN = "sign-in"
TOO_LATE = "The sign-in link in this message has expired. Ask for a new one on the sign-in page."
_LINK = re.compile(r"(/sign-in/link/)([\w-]+)")


def with_links(message: Message, words: str) -> str:
    """The words as the recipient gets them; only messages of our own making hold seeds."""
    if message.kind != SIGN_IN:
        return words
    return _LINK.sub(lambda found: found[1] + token_of_seed(found[2]), words)


def without_links(message: Message, words: str) -> str:
    """The words as everybody else may read them."""
    return _LINK.sub(r"\1…", words) if message.kind == SIGN_IN else words


def is_too_late(message: Message) -> bool:
    """Whether the link in it no longer works, so that mailing it would only confuse."""
    return message.kind == SIGN_IN and clock.now() >= message.created_at + LIFETIME
