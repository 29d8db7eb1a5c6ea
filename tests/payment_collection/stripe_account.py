"""A Stripe account that keeps methods, as the SDK's http client sees it; recorded words.

It stands where the SDK's http client is, so the SDK itself makes every request and reads every
answer. It keeps idempotency keys as Stripe does.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import stripe

from portal.payment_collection.gateways.stripe import StripeGateway
from tests.payment_collection.stripe_schema import misfits_of_request, nested

CARD = {"brand": "visa", "display_brand": "visa", "exp_month": 3, "exp_year": 2030}
METHODS = {
    "card": {"type": "card", "card": {**CARD, "last4": "4242"}},
    "declined-card": {"type": "card", "card": {**CARD, "last4": "0002"}},
    "in-person-card": {"type": "card", "card": {**CARD, "last4": "3155"}},
    "bank": {
        "type": "us_bank_account",
        "us_bank_account": {"bank_name": "STRIPE TEST BANK", "last4": "6789"},
    },
}
DECLINED = {"type": "card_error", "code": "card_declined", "message": "Your card was declined."}
IN_PERSON = {
    "type": "card_error", "code": "authentication_required",
    "message": "Your card was declined. This transaction requires authentication.",
}  # fmt: skip
REFUSED = {"type": "invalid_request_error", "code": "payment_intent_unexpected_state"}


class StripeAccount(stripe.HTTPClient):
    name = "recorded"

    def __init__(self) -> None:
        super().__init__()
        self.things: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, str]] = []
        self._answers: dict[str, tuple[str, tuple[int, Any]]] = {}

    def gateway(self) -> StripeGateway:
        made = StripeGateway("sk_test_1", "whsec_test", retries=0)
        made._client._requestor._client = self  # type: ignore[attr-defined]
        return made

    def request_with_retries(
        self, method: str, url: str, headers: Any, post_data: Any = None, **_more: Any
    ) -> Any:
        parts, method = urlsplit(url), method.lower()
        form = str(post_data or "") if method == "post" else parts.query
        self.requests.append((method, parts.path, form))
        assert misfits_of_request(method, parts.path, form) == []
        key = headers.get("Idempotency-Key", "") if method == "post" else ""
        assert key or method == "get", f"{method} {parts.path} without an idempotency key"
        if key in self._answers:
            first, said = self._answers[key]
            assert first == form, f"another request under the key {key}"
        else:
            said = self._do(method, parts.path.removeprefix("/v1/"), nested(form))
            if key:
                self._answers[key] = form, said
        status, body = said
        return json.dumps(body), status, {"request-id": "req_1"}

    def press_setup(self, session_ref: str, button: str) -> list[bytes]:
        """What the customer does on the page."""
        session = self.things[session_ref]
        intent = self._keep("seti", metadata=session["metadata"], last_setup_error=None)
        session["setup_intent"] = intent["id"]
        if button == "refuse":
            intent |= {"status": "requires_payment_method", "payment_method": None}
            intent["last_setup_error"] = {"message": "The bank refused."}
            return []
        kept = self._keep("pm", customer=session["customer"], **METHODS[button])
        intent |= {"status": "succeeded", "payment_method": kept["id"]}
        session["status"] = "complete"
        self._keep_as(f"mandate_{kept['id']}", payment_method=kept["id"], status="active")
        return []

    def press_method(self, method_ref: str, button: str) -> None:
        if button == "detach":
            self.things[method_ref]["customer"] = None
        elif button == "end-mandate":
            self.things[f"mandate_{method_ref}"]["status"] = "inactive"
        else:
            self.things[method_ref]["card"]["exp_year"] += 4

    def press_charge(self, payment_ref: str, button: str) -> None:
        intent = self.things[payment_ref]
        if button == "debit-settles":
            intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        else:
            intent |= {"status": "requires_payment_method", "last_payment_error": DECLINED}

    def charged(self) -> int:
        """Cents really taken."""
        return sum(one.get("amount_received", 0) for one in self.things.values())

    def _do(self, method: str, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        kind, *rest = path.removeprefix("checkout/").split("/")
        if method == "get":
            found = self.things.get(rest[0])
            return (200, self._expanded(found, sent)) if found else _missing()
        if kind == "customers":
            return 200, self._keep("cus", object="customer", **sent)
        if kind == "sessions":
            return 200, self._keep(
                "cs", **sent, url="https://checkout.stripe.com/c/1", expires_at=1772560000,
                status="open", payment_intent=None, setup_intent=None,
            )  # fmt: skip
        if kind == "payment_methods":
            return self._detach(rest[0])
        return self._prepare(sent) if not rest else self._carry_on(*rest)

    def _detach(self, ref: str) -> tuple[int, Any]:
        if self.things[ref]["customer"] is None:
            return 400, {"error": {"type": "invalid_request_error", "message": "not attached"}}
        self.things[ref]["customer"] = None
        return 200, self.things[ref]

    def _prepare(self, sent: dict[str, Any]) -> tuple[int, Any]:
        method = self.things[sent["payment_method"]]
        if method["customer"] != sent["customer"]:
            return 400, {"error": {"type": "invalid_request_error", "message": "not attached"}}
        return 200, self._keep(
            "pi", **{**sent, "amount": int(sent["amount"])}, status="requires_confirmation",
            amount_received=0, last_payment_error=None, latest_charge=None, created=1772500000,
            payment_method_types=sent["allowed_payment_method_types"],
        )  # fmt: skip

    def _carry_on(self, ref: str, verb: str) -> tuple[int, Any]:
        intent = self.things[ref]
        if intent["status"] != "requires_confirmation":
            return 400, {"error": REFUSED}
        if verb == "cancel":
            intent["status"] = "canceled"
            return 200, intent
        method = self.things[intent["payment_method"]]
        refusal = {"0002": DECLINED, "3155": IN_PERSON}.get(method[method["type"]]["last4"])
        if refusal:
            intent |= {"status": "requires_payment_method", "last_payment_error": refusal}
            return 402, {"error": refusal}
        intent["status"] = "processing" if method["type"] != "card" else "succeeded"
        if intent["status"] == "succeeded":
            intent["amount_received"] = intent["amount"]
        return 200, intent

    def _expanded(self, thing: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
        shown = dict(thing)
        for path in sent.get("expand", []):
            name, _dot, rest = path.partition(".")
            inner = self.things.get(str(shown.get(name)))
            if inner:
                shown[name] = self._expanded(inner, {"expand": [rest]} if rest else {})
        return shown

    def _keep(self, prefix: str, **words: Any) -> dict[str, Any]:
        return self._keep_as(f"{prefix}_{len(self.things) + 1}", **words)

    def _keep_as(self, ref: str, **words: Any) -> dict[str, Any]:
        objects = {
            "cus": "customer", "cs": "checkout.session", "seti": "setup_intent",
            "pm": "payment_method", "pi": "payment_intent", "mandate": "mandate",
        }  # fmt: skip
        self.things[ref] = {"object": objects[ref.split("_")[0]], **words, "id": ref}
        return self.things[ref]


def _missing() -> tuple[int, Any]:
    words = {"type": "invalid_request_error", "code": "resource_missing", "message": "No such"}
    return 404, {"error": words}
