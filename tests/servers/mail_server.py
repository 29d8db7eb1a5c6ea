"""A mail server of our own on the loopback."""

import socket
from dataclasses import replace

import pytest
from aiosmtpd.controller import Controller


class Box:
    """A mail server that keeps what it gets, or refuses it; `strangers` are unknown to it."""

    def __init__(self, answer="250 OK", strangers=()):
        self.mails, self.answer, self.strangers = [], answer, strangers
        self.unknown = "550 no such mailbox"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.strangers:
            return self.unknown
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        if self.answer.startswith("250"):
            self.mails.append(envelope.content.decode("utf-8", "replace"))
        return self.answer


@pytest.fixture
def smtp(app):
    """Start a server that answers so; the app sends through it."""
    running = []
    before = app.config["SETTINGS"]

    def start(answer="250 OK", strangers=()):
        box = Box(answer, strangers)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(box, hostname="127.0.0.1", port=port)
        controller.start()
        running.append(controller)
        app.config["SETTINGS"] = replace(before, smtp_url=f"smtp://127.0.0.1:{port}")
        return box

    yield start
    for controller in running:
        controller.stop()
    app.config["SETTINGS"] = before
