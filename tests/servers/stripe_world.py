"""Stripe as the real SDK sees it: localstripe behind a proxy that can lose or break answers.

localstripe knows payment intents but no Checkout and no idempotency keys; this proxy adds both
on top of it. The customer presses the page's button with `pay`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from portal.kernel import clock

KEY, SECRET = "sk_test_fieldledger", "whsec_fieldledger"
# What the weather does to the first request of each kind; repeats get through.
WEATHERS = ("fair", "request lost", "answer lost", "server error before", "server error after")


class StripeWorld:
    """One account: its sessions, its idempotency keys, its weather."""

    def __init__(self, localstripe_port: int) -> None:
        self._behind = f"http://127.0.0.1:{localstripe_port}"
        self._lock = threading.RLock()
        self.forget("fair")

    def forget(self, weather: str) -> None:
        """Begin anew with an empty account and this weather."""
        with self._lock:
            self.weather = weather
            self.sessions: dict[str, dict[str, Any]] = {}
            self._answers: dict[str, tuple[int, dict[str, Any]]] = {}
            self._struck: set[str] = set()
            self.requests: list[tuple[str, str, dict[str, str]]] = []

    def strike(self, kind: str) -> str:
        """What happens to this request: each kind is struck once."""
        with self._lock:
            if self.weather == "fair" or kind in self._struck:
                return "fair"
            self._struck.add(kind)
            return self.weather

    def answer(self, method: str, path: str, form: dict[str, str], key: str) -> tuple[int, Any]:
        """The account's answer; the same idempotency key gets the first answer again."""
        with self._lock:
            self.requests.append((method, path, form))
            if key and key in self._answers:
                status, body = self._answers[key]
                if body["asked"] != form:
                    return 400, _error("idempotency_error", "Keys for idempotent requests differ.")
                return status, body["said"]
            status, said = self._do(method, path, form)
            if key:
                self._answers[key] = status, {"asked": form, "said": said}
            return status, said

    def pay(self, session_id: str) -> list[bytes]:
        """The customer pays on the page; the webhook bodies that follow."""
        with self._lock:
            session = self.sessions[session_id]
            if session["status"] != "open":
                raise RuntimeError("this page is not open any more")
            card = {"type": "card", "card[number]": "4242424242424242", "card[cvc]": "123",
                    "card[exp_month]": "12", "card[exp_year]": "2035"}  # fmt: skip
            method = self._ask("POST", "/v1/payment_methods", card)["id"]
            intent = self._ask(
                "POST",
                "/v1/payment_intents",
                {
                    "amount": session["amount_total"],
                    "currency": session["currency"],
                    "payment_method": method,
                    "confirm": "true",
                    "metadata[attempt]": session["client_reference_id"],
                },
            )
            session |= {
                "status": "complete",
                "payment_status": "paid",
                "payment_intent": intent["id"],
            }
            return [
                self._event("payment_intent.succeeded", intent),
                self._event("checkout.session.completed", session),
            ]

    def charged(self) -> int:
        """Cents really taken from customers since the account was begun anew."""
        with self._lock:
            refs = [one["payment_intent"] for one in self.sessions.values()]
            intents = [self._ask("GET", f"/v1/payment_intents/{ref}", {}) for ref in refs if ref]
            return sum(one["amount"] for one in intents if one["status"] == "succeeded")

    def _do(self, method: str, path: str, form: dict[str, str]) -> tuple[int, Any]:
        if (method, path) == ("POST", "/v1/checkout/sessions"):
            return 200, self._create(form)
        _v1, _checkout, _sessions, session_id, *verb = path.strip("/").split("/")
        session = self.sessions.get(session_id)
        if session is None:
            return 404, _error("resource_missing", "No such checkout.session")
        if verb == ["expire"]:
            if session["status"] != "open":
                return 400, _error("", "Only sessions with a status of open can be expired.")
            session["status"] = "expired"
        return 200, self._expanded(session)

    def _create(self, form: dict[str, str]) -> dict[str, Any]:
        number = len(self.sessions) + 1
        session = {
            "id": f"cs_test_{number}_{form['client_reference_id']}",
            "object": "checkout.session",
            "client_reference_id": form["client_reference_id"],
            "amount_total": form["line_items[0][price_data][unit_amount]"],
            "currency": form["line_items[0][price_data][currency]"],
            "metadata": {"attempt": form["metadata[attempt]"]},
            "url": f"https://checkout.example/{number}",
            "expires_at": int(time.time()) + 86_400,
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
        }
        self.sessions[session["id"]] = session
        return session

    def _expanded(self, session: dict[str, Any]) -> dict[str, Any]:
        intent = session["payment_intent"]
        if intent is None:
            return session
        found = self._ask("GET", f"/v1/payment_intents/{intent}", {})
        found["amount_received"] = found["amount"] if found["status"] == "succeeded" else 0
        found["payment_method_types"] = ["card"]
        if found["latest_charge"]:
            found["latest_charge"]["payment_method_details"] = {"type": "card"}
        return {**session, "payment_intent": found}

    def _event(self, kind: str, thing: dict[str, Any]) -> bytes:
        event = {"id": f"evt_{kind}_{thing['id']}", "object": "event", "type": kind,
                 "data": {"object": thing}}  # fmt: skip
        return json.dumps(event).encode()

    def _ask(self, method: str, path: str, form: dict[str, Any]) -> dict[str, Any]:
        data = urllib.parse.urlencode(form).encode() if method == "POST" else None
        request = urllib.request.Request(f"{self._behind}{path}", data, method=method)
        request.add_header("Authorization", f"Bearer {KEY}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.load(answer))


def signature(body: bytes) -> str:
    """The header Stripe signs a webhook with."""
    at = int(clock.now().timestamp())  # the house asks its own clock whether it is recent
    digest = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


@contextmanager
def serving(world: StripeWorld) -> Iterator[str]:
    """The proxy's address while it listens."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_words: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def _serve(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            path, form = urllib.parse.urlsplit(self.path).path, dict(urllib.parse.parse_qsl(body))
            if path.startswith("/pay/"):  # the customer, not the SDK
                bodies = world.pay(path.removeprefix("/pay/"))
                return self._reply(200, [one.decode() for one in bodies])
            kind = f"{method} {path.split('/')[3:4]} {path.endswith('expire')}"
            weather = world.strike(kind)
            if weather == "request lost":
                return self._hang_up()
            if weather == "server error before":
                return self._reply(500, _error("api_error", "Struck by lightning."))
            key = self.headers.get("Idempotency-Key", "") if method == "POST" else ""
            status, said = world.answer(method, path, form, key)
            if weather == "answer lost":
                return self._hang_up()
            if weather == "server error after":
                return self._reply(500, _error("api_error", "Struck by lightning."))
            return self._reply(status, said)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.close()

        def _reply(self, status: int, said: Any) -> None:
            words = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _error(code: str, message: str) -> dict[str, Any]:
    kind = "api_error" if code == "api_error" else "invalid_request_error"
    kind = "idempotency_error" if code == "idempotency_error" else kind
    return {"error": {"type": kind, "code": code, "message": message}}
