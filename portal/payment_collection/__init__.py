"""Taking payments online. The rest of the house sees Gateway, never a vendor."""

from portal.payment_collection.attempts import (
    AttemptFilter,
    ChargeEnded,
    attempt_by_public_id,
    find_attempts,
    find_events,
    get_event,
    live_attempts_on,
)
from portal.payment_collection.charging import ChargeWanted, charge_method
from portal.payment_collection.checkout import CheckoutWanted, minimum_payment, start_checkout
from portal.payment_collection.gateway import (
    CheckoutSeen,
    CheckoutState,
    EventSeen,
    ForgedEvent,
    Gateway,
    OpenedCheckout,
    gateway,
    has_gateway,
)
from portal.payment_collection.inbox import handle_event, keep_event, retry_event, waiting_events
from portal.payment_collection.janitor import (
    close_stale,
    close_stale_checkouts,
    due_attempts,
    recheck,
    stale_attempts,
)
from portal.payment_collection.methods import (
    chargeable_method,
    method_of,
    methods_of,
    primary_method,
    why_not,
)
from portal.payment_collection.set_up import set_up
from portal.payment_collection.settling import PaymentCameBack, PaymentOnItsWay, settle
from portal.payment_collection.telling import tell_payer

__all__ = [
    "AttemptFilter",
    "ChargeEnded",
    "ChargeWanted",
    "CheckoutSeen",
    "CheckoutState",
    "CheckoutWanted",
    "EventSeen",
    "ForgedEvent",
    "Gateway",
    "OpenedCheckout",
    "PaymentCameBack",
    "PaymentOnItsWay",
    "attempt_by_public_id",
    "charge_method",
    "chargeable_method",
    "close_stale",
    "close_stale_checkouts",
    "due_attempts",
    "find_attempts",
    "find_events",
    "gateway",
    "get_event",
    "handle_event",
    "has_gateway",
    "keep_event",
    "live_attempts_on",
    "method_of",
    "methods_of",
    "minimum_payment",
    "primary_method",
    "recheck",
    "retry_event",
    "set_up",
    "settle",
    "stale_attempts",
    "start_checkout",
    "tell_payer",
    "waiting_events",
    "why_not",
]
