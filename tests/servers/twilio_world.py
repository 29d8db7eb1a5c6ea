"""Twilio as our door to it sees it: takes texts, refuses, breaks down, or says nothing at all."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

ACCOUNT, TOKEN, SENDER = "AC123", "secret", "+15550100"


class TwilioWorld:
    """One account: the texts it took, and what it does with the next one."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.weather = "fair"
        self.address = ""

    def answer(self, path: str, proof: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        expected = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if proof != f"Basic {expected}" or path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            return 401, {"message": "Authenticate"}
        if self.weather == "busy":
            return 429, {"message": "Too Many Requests"}
        if form["To"] == "+15005550001":
            return 400, {"message": "The 'To' number is not a valid phone number."}
        self.taken.append(form)
        if self.weather == "breaks":
            return 500, {"message": "Internal error"}
        return 201, {"sid": f"SM{len(self.taken)}", "status": "queued"}


@contextmanager
def twilio() -> Iterator[TwilioWorld]:
    """The account behind a server of this machine."""
    world = TwilioWorld()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            proof = self.headers.get("Authorization", "")
            status, said = world.answer(self.path, proof, form)
            if world.weather == "silent":
                self.rfile.read(1)  # until who asked gives up
            if world.weather in ("silent", "hangs up"):
                self.close_connection = True
                return
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    world.address = f"http://127.0.0.1:{server.server_port}"
    yield world
    server.shutdown()
    thread.join()
    server.server_close()
