"""Messages to people: written now, sent after commit, never sent twice."""

from portal.outbox.composing import compose
from portal.outbox.queries import (
    MessageFilter,
    attachment_bytes,
    find_messages,
    get_message,
    mail_is_kept,
)
from portal.outbox.sending import MessageSent, deliver, retry_message, waiting_messages
from portal.outbox.sign_in_links import SIGN_IN, with_links, without_links
from portal.outbox.smtp import mail_server_answers
from portal.outbox.writing import Attachment, write_message

__all__ = [
    "SIGN_IN",
    "Attachment",
    "MessageFilter",
    "MessageSent",
    "attachment_bytes",
    "compose",
    "deliver",
    "find_messages",
    "get_message",
    "mail_is_kept",
    "mail_server_answers",
    "retry_message",
    "waiting_messages",
    "with_links",
    "without_links",
    "write_message",
]
