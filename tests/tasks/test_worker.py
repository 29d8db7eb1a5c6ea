"""The worker as a process of its own: mail holds up no money, a stop doubles nothing."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from portal.db import db, in_transaction
from portal.models import GatewayEvent
from portal.outbox import write_message
from portal.tasks import sweep
from portal.tasks.queue import set_up
from tests.architecture.graph import ROOT
from tests.cli.houses import furnish, house


class SlowMail(threading.Thread):
    """A mail server that takes a mail and says so only when it is let."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.mails, self.has_one, self.may_answer = [], threading.Event(), threading.Event()

    def run(self):
        try:
            while True:
                self.talk(self.listening.accept()[0])
        except OSError:  # closed: the test is over
            return

    def talk(self, connection):
        with connection, connection.makefile("rwb") as line:
            self.say(line, "220 hello")
            for words in line:
                verb = words[:4].upper()
                self.say(line, {b"DATA": "354 go on", b"QUIT": "221 bye"}.get(verb, "250 ok"))
                if verb == b"DATA":
                    self.take(line)

    def take(self, line):
        self.mails.append(b"".join(iter(line.readline, b".\r\n")))
        self.has_one.set()
        self.may_answer.wait(30)
        self.say(line, "250 taken")

    def say(self, line, words):
        line.write(f"{words}\r\n".encode())
        line.flush()


@pytest.fixture
def slow_mail():
    server = SlowMail()
    server.start()
    yield server
    server.may_answer.set()
    server.listening.close()


@pytest.fixture
def waiting(tmp_path):
    """A house in which so many mails and an event of the gateway wait; its address and settings."""

    def make(mails, events=0):
        app, settings = house(tmp_path / "data")
        with app.app_context():
            in_transaction(furnish)
            in_transaction(lambda: put(mails, events))
            db.session.remove()
            db.engine.dispose()
        return settings

    return make


def put(mails, events):
    for number in range(mails):
        write_message(kind="test", recipient="ada@example.org", subject="Hello", body="Hi",
                      dedupe_key=str(number))  # fmt: skip
    for number in range(events):
        db.session.add(
            GatewayEvent(gateway="test", event_ref=f"e{number}", kind="checkout.session.completed",
                         object_ref="x", body=b"{}", state="waiting")
        )  # fmt: skip


@contextmanager
def worker(settings, port):
    environ = {
        **os.environ, "DATA_DIR": str(settings.data_dir), "SECRET_KEY": settings.secret_key,
        "SMTP_URL": f"smtp://127.0.0.1:{port}", "MAIL_FROM": "office@acme.example",
    }  # fmt: skip
    for name in ("APP_ENV", "DATABASE_URL", "REDIS_URL"):
        environ.pop(name, None)
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def ask(settings, question):
    with closing(sqlite3.connect(settings.sqlite_file, timeout=10)) as database:
        return database.execute(question).fetchone()[0]


def test_a_mail_server_that_hangs_holds_up_no_payment(waiting, slow_mail):
    settings = waiting(mails=6, events=3)
    with worker(settings, slow_mail.port):
        assert slow_mail.has_one.wait(30)
        deadline = time.monotonic() + 15
        while ask(settings, "SELECT count(*) FROM gateway_events WHERE attempts = 0"):
            assert time.monotonic() < deadline, "the events still wait behind the mail"

    assert ask(settings, "SELECT count(*) FROM messages WHERE sent_at IS NOT NULL") == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_worker_finishes_the_mail_in_its_hand(waiting, slow_mail, number):
    settings = waiting(mails=1)
    with worker(settings, slow_mail.port) as process:
        assert slow_mail.has_one.wait(30)
        process.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
        slow_mail.may_answer.set()
        assert process.wait(15) == 0

    assert len(slow_mail.mails) == 1
    assert ask(settings, "SELECT state FROM messages") == "sent"


def test_a_kind_that_cannot_be_asked_does_not_stop_the_others(app, monkeypatch, caplog):
    def broken():
        raise RuntimeError("boom")

    in_transaction(lambda: put(1, 0))
    kinds = app.extensions["task kinds"]
    first = next(name for name in kinds if name != "message")
    monkeypatch.setitem(kinds, first, replace(kinds[first], find_waiting=broken))

    assert [name for name, _id in sweep()] == ["message"]
    assert f"which rows of {first} wait" in caplog.text


def test_a_schedule_that_breaks_does_not_stop_the_sweep(tmp_path, caplog):
    def broken():
        raise RuntimeError("boom")

    app, _settings = house(tmp_path / "data")
    with app.app_context():
        in_transaction(furnish)
        in_transaction(lambda: put(1, 0))
        app.testing = False
        set_up(app, app.extensions["task kinds"], broken)
        app.extensions["each minute"].call_local()
        assert app.extensions["queues"]["mail"].pending_count() == 1
        app.testing = True
        db.session.remove()
        db.engine.dispose()

    assert "the schedule's turn failed" in caplog.text
