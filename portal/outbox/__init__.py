"""Messages to people: written now, sent after commit, never sent twice."""

from portal.outbox.bounces import bounced_addresses, note_bounce, report_bounce, sent_message
from portal.outbox.composing import compose
from portal.outbox.letters import Block, Letter, write_letter
from portal.outbox.objecting import Objection, object_by
from portal.outbox.outcomes import MessageSent
from portal.outbox.placeholders import Values, locale_of, placeholders_of
from portal.outbox.queries import (
    MessageFilter,
    attachment_bytes,
    find_messages,
    get_message,
    mail_is_kept,
    messages_about,
)
from portal.outbox.sending import deliver, retry_message, waiting_messages, waiting_texts
from portal.outbox.sign_in_links import SIGN_IN, with_links, without_links
from portal.outbox.smtp import mail_server_answers
from portal.outbox.text_gateway import (
    INCOMING,
    RECEIPTS,
    TextGateway,
    text_gateway,
    texts_are_kept,
)
from portal.outbox.text_hooks import TextCameIn, note_receipt
from portal.outbox.texting import deliver_text
from portal.outbox.twilio import read_incoming, read_receipt, signed_by_twilio
from portal.outbox.wording import (
    KINDS,
    LANGUAGES,
    OFFERED,
    Words,
    check_words,
    edited_words,
    forget_words,
    house_words,
    own_words,
    save_words,
    spoken,
    words_for,
)
from portal.outbox.writing import Attachment, Says, write_message

__all__ = [
    "INCOMING",
    "KINDS",
    "LANGUAGES",
    "OFFERED",
    "RECEIPTS",
    "SIGN_IN",
    "Attachment",
    "Block",
    "Letter",
    "MessageFilter",
    "MessageSent",
    "Objection",
    "Says",
    "TextCameIn",
    "TextGateway",
    "Values",
    "Words",
    "attachment_bytes",
    "bounced_addresses",
    "check_words",
    "compose",
    "deliver",
    "deliver_text",
    "edited_words",
    "find_messages",
    "forget_words",
    "get_message",
    "house_words",
    "locale_of",
    "mail_is_kept",
    "mail_server_answers",
    "messages_about",
    "note_bounce",
    "note_receipt",
    "object_by",
    "own_words",
    "placeholders_of",
    "read_incoming",
    "read_receipt",
    "report_bounce",
    "retry_message",
    "save_words",
    "sent_message",
    "signed_by_twilio",
    "spoken",
    "text_gateway",
    "texts_are_kept",
    "waiting_messages",
    "waiting_texts",
    "with_links",
    "without_links",
    "words_for",
    "write_letter",
    "write_message",
]
