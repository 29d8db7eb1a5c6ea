"""Cards and bank accounts kept at Stripe, and charging them off-session.

Types come from the payment method itself: a saved bank account is charged as
`us_bank_account` or `sepa_debit`, whatever else the account offers.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime

import stripe

from portal.kernel.money import Money
from portal.payment_collection.gateways.stripe.checkouts import (
    failure_code,
    failure_words,
    method_of,
    received_at_of,
)
from portal.payment_collection.gateways.stripe.client import (
    BANK_DEBITS,
    StripeDoor,
    call,
    currency_of,
    failure,
)
from portal.payment_collection.port.checkouts import CheckoutSeen, CheckoutState, OpenedCheckout
from portal.payment_collection.port.methods import (
    ChargeOrder,
    MethodSeen,
    PayerOrder,
    SetupOrder,
    SetupSeen,
)

IN_PERSON = "The bank wants the owner of this card to confirm in person: ask them to pay online."
CHARGE_STATES = {
    "succeeded": CheckoutState.SUCCEEDED,
    "processing": CheckoutState.PROCESSING,
    "requires_capture": CheckoutState.PROCESSING,
    "canceled": CheckoutState.EXPIRED,
    "requires_confirmation": CheckoutState.OPEN,
}  # every other state wants the owner of the method, who is not there: failed


class StripeMethods(StripeDoor):
    """Setup mode of Checkout, and PaymentIntents that are created first and confirmed later."""

    def know_payer(self, order: PayerOrder) -> str:
        customer = call(
            lambda: self._client.v1.customers.create(
                {
                    "name": order.name,
                    "metadata": {"setup": order.reference},
                    **({"email": order.email} if order.email else {}),
                },
                {"idempotency_key": f"customer:{order.reference}"},
            )
        )
        return customer.id

    def open_setup(self, order: SetupOrder) -> OpenedCheckout:
        """A hosted page that saves a method; the reference is the idempotency key."""
        metadata = {"setup": order.reference}
        session = call(
            lambda: self._client.v1.checkout.sessions.create(
                {
                    "mode": "setup",
                    "currency": order.currency.lower(),
                    "customer": order.customer_ref,
                    "client_reference_id": order.reference,
                    "metadata": metadata,
                    "setup_intent_data": {"metadata": metadata},
                    "success_url": order.return_url,
                    "cancel_url": order.return_url,
                },
                {"idempotency_key": f"setup:{order.reference}"},
            )
        )
        expires = datetime.fromtimestamp(session.expires_at, UTC)
        return OpenedCheckout(session.id, session.url or "", expires)

    def look_up_setup(self, session_ref: str) -> SetupSeen:
        session = call(
            lambda: self._client.v1.checkout.sessions.retrieve(
                session_ref, {"expand": ["setup_intent.payment_method"]}
            )
        )
        intent = session.setup_intent
        known = None if intent is None or isinstance(intent, str) else intent
        kept = known.payment_method if known else None
        return SetupSeen(
            state=_setup_state(session, known),
            reference=session.client_reference_id or "",
            session_ref=session.id,
            method=_seen(kept) if kept and not isinstance(kept, str) else None,
            failure=_setup_failure(known),
        )

    def look_up_method(self, method_ref: str) -> MethodSeen:
        return _seen(call(lambda: self._client.v1.payment_methods.retrieve(method_ref)))

    def look_up_mandate(self, mandate_ref: str) -> MethodSeen:
        """The method a mandate is about; not usable once the mandate ended."""
        mandate = call(
            lambda: self._client.v1.mandates.retrieve(mandate_ref, {"expand": ["payment_method"]})
        )
        method = mandate.payment_method
        kept = self.look_up_method(method) if isinstance(method, str) else _seen(method)
        return kept if mandate.status != "inactive" else _unusable(kept)

    def forget_method(self, method_ref: str) -> None:
        """Detach it; one that is detached already is left as it is."""
        try:
            self._client.v1.payment_methods.detach(
                method_ref, {}, {"idempotency_key": f"detach:{method_ref}"}
            )
        except stripe.InvalidRequestError as error:
            if self._is_attached(method_ref):
                raise failure(error) from error
        except stripe.StripeError as error:
            raise failure(error) from error

    def _is_attached(self, method_ref: str) -> bool:
        try:
            return self._client.v1.payment_methods.retrieve(method_ref).customer is not None
        except stripe.InvalidRequestError:
            return False
        except stripe.StripeError as error:
            raise failure(error) from error

    def prepare_charge(self, order: ChargeOrder) -> str:
        """A PaymentIntent that is not confirmed yet: nothing is charged by this."""
        kind = call(lambda: self._client.v1.payment_methods.retrieve(order.method_ref)).type
        intent = call(
            lambda: self._client.v1.payment_intents.create(
                {
                    "amount": order.amount.cents,
                    "currency": order.currency.lower(),
                    "customer": order.customer_ref,
                    "payment_method": order.method_ref,
                    "allowed_payment_method_types": [kind],
                    "description": order.description,
                    "metadata": {"attempt": order.reference},
                },
                {"idempotency_key": f"charge:{order.reference}"},
            )
        )
        return intent.id

    def confirm_charge(self, payment_ref: str, reference: str) -> CheckoutSeen:
        """Take the money. A refusal is an answer; so is that it was confirmed before."""
        try:
            self._client.v1.payment_intents.confirm(
                payment_ref, {"off_session": True}, {"idempotency_key": f"confirm:{reference}"}
            )
        except (stripe.CardError, stripe.InvalidRequestError):
            pass  # what became of it is what the intent says
        except stripe.StripeError as error:
            raise failure(error) from error
        return self.look_up_charge(payment_ref)

    def look_up_charge(self, payment_ref: str) -> CheckoutSeen:
        return _charge_seen(
            call(
                lambda: self._client.v1.payment_intents.retrieve(
                    payment_ref, {"expand": ["latest_charge.balance_transaction"]}
                )
            )
        )

    def cancel_charge(self, payment_ref: str) -> CheckoutSeen:
        """Withdraw a charge that was not carried out; what it is now is the answer."""
        try:
            self._client.v1.payment_intents.cancel(
                payment_ref,
                {"cancellation_reason": "abandoned"},
                {"idempotency_key": f"cancel:{payment_ref}"},
            )
        except stripe.InvalidRequestError:
            pass  # too late to withdraw: it is told below
        except stripe.StripeError as error:
            raise failure(error) from error
        return self.look_up_charge(payment_ref)


def _charge_seen(intent: stripe.PaymentIntent) -> CheckoutSeen:
    state = CHARGE_STATES.get(intent.status, CheckoutState.FAILED)
    refused = state in (CheckoutState.FAILED, CheckoutState.EXPIRED)
    return CheckoutSeen(
        state=state,
        reference=str(getattr(intent.metadata, "attempt", "")),
        session_ref="",
        payment_ref=intent.id,
        received=Money(intent.amount_received or 0),
        method=method_of(intent),
        failure=_refusal(intent) if refused else "",
        failure_code=_refusal_code(intent) if refused else "",
        received_at=received_at_of(intent),
        currency=currency_of(intent),
    )


def _refusal(intent: stripe.PaymentIntent) -> str:
    """Why it was refused, for people; nothing for one that was only withdrawn."""
    error = intent.last_payment_error
    if intent.status == "canceled" and error is None:
        return ""
    if _refusal_code(intent) == "authentication_required":
        return IN_PERSON
    return failure_words(intent) or "The payment was refused."


def _refusal_code(intent: stripe.PaymentIntent) -> str:
    error = intent.last_payment_error
    in_person = intent.status == "requires_action" or (
        error is not None and error.code == "authentication_required"
    )
    return "authentication_required" if in_person else failure_code(intent)


def _setup_state(
    session: stripe.checkout.Session, intent: stripe.SetupIntent | None
) -> CheckoutState:
    if intent is not None and intent.status == "succeeded":
        return CheckoutState.SUCCEEDED
    if intent is not None and intent.status == "canceled" and session.status == "complete":
        return CheckoutState.FAILED
    if session.status == "expired":
        return CheckoutState.EXPIRED
    if session.status == "complete":  # a bank account still to be verified by small deposits
        wants_method = intent is not None and intent.status == "requires_payment_method"
        return CheckoutState.FAILED if wants_method else CheckoutState.PROCESSING
    return CheckoutState.OPEN


def _setup_failure(intent: stripe.SetupIntent | None) -> str:
    error = intent.last_setup_error if intent else None
    return (error.message or "") if error else ""


def _seen(method: stripe.PaymentMethod) -> MethodSeen:
    details = getattr(method, method.type, None)
    year, month = getattr(details, "exp_year", None), getattr(details, "exp_month", None)
    expires = date(year, month, monthrange(year, month)[1]) if year and month else None
    brand = getattr(details, "display_brand", None) or getattr(details, "brand", None)
    owner = method.customer
    return MethodSeen(
        method_ref=method.id,
        customer_ref=owner if isinstance(owner, str) else (owner.id if owner else ""),
        kind="bank_debit" if method.type in BANK_DEBITS else "card",
        brand=_name(brand or getattr(details, "bank_name", None) or method.type),
        last4=str(getattr(details, "last4", None) or ""),
        expires_on=expires,
        usable=owner is not None,
    )


def _name(brand: str) -> str:
    known = {"amex": "American Express", "sepa_debit": "SEPA", "unionpay": "UnionPay", "jcb": "JCB"}
    return known.get(
        brand, brand if any(c.isupper() for c in brand) else brand.replace("_", " ").title()
    )


def _unusable(method: MethodSeen) -> MethodSeen:
    return MethodSeen(
        method.method_ref, method.customer_ref, method.kind, method.brand, method.last4,
        method.expires_on, usable=False,
    )  # fmt: skip
