"""Three letters are written and handed to the mail server.

A kill between handing over and marking hands the same mail over again, under the same
Message-ID, which mail systems fold into one; it is never marked as sent unless it was.
"""

from portal.db import in_transaction
from portal.models import Message, MessageState
from portal.outbox import write_message
from portal.tasks import run_waiting
from tests.crash.journeys.journey import Journey, message_ids, rows

LETTERS = 3
P = "portal.outbox"
PLACES = {
    "tests.crash.journeys.mailing:write_message": LETTERS,
    f"{P}.writing:insert_once": LETTERS,
    f"{P}.writing:wake": LETTERS,
    f"{P}.sending:lease": LETTERS,
    f"{P}.sending:mail_is_kept": LETTERS,
    f"{P}.sending:is_too_late": LETTERS,
    f"{P}.sending:build_mail": LETTERS,
    f"{P}.sending:send_mail": LETTERS,
    f"{P}.smtp:_connect": LETTERS,
    f"{P}.sending:_finish_sent": LETTERS,
    f"{P}.sending:finish": LETTERS,
    f"{P}.outcomes:tell": LETTERS,
}


def prepare(build):
    build.customer("Ada", email="ada@example.org")


def live():
    for number in range(LETTERS):
        in_transaction(lambda number=number: write(number))
    run_waiting()


def write(number):
    write_message(
        kind="letter", recipient="ada@example.org", subject=f"Letter {number}",
        body="As we agreed.", dedupe_key=f"letter-{number}",
    )  # fmt: skip


def check(box):
    sent = rows(Message, Message.state == MessageState.SENT)
    assert len(rows(Message)) <= LETTERS
    assert {one.subject for one in sent} <= subjects(box)


def at_the_end(box):
    assert {one.state for one in rows(Message)} == {MessageState.SENT}
    assert len(set(message_ids(box))) == len(subjects(box)) == len(rows(Message)) == LETTERS


def subjects(box):
    """The letters that arrived at least once."""
    lines = (line for mail in box for line in mail.splitlines())
    return {line.removeprefix("Subject: ") for line in lines if line.startswith("Subject:")}


JOURNEY = Journey("mail", PLACES, prepare, live, check, at_the_end)
