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
from portal.payment_collection.on_its_way import (
    OnItsWay,
    expected_on,
    is_on_its_way,
    on_its_way,
    reserved_of,
)
from portal.payment_collection.rules import (
    RuleWords,
    change_rules,
    collection_rules,
    retry_days,
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
    "OnItsWay",
    "OpenedCheckout",
    "PaymentCameBack",
    "PaymentOnItsWay",
    "RuleWords",
    "attempt_by_public_id",
    "change_rules",
    "charge_method",
    "chargeable_method",
    "close_stale",
    "close_stale_checkouts",
    "collection_rules",
    "due_attempts",
    "expected_on",
    "find_attempts",
    "find_events",
    "gateway",
    "get_event",
    "handle_event",
    "has_gateway",
    "is_on_its_way",
    "keep_event",
    "live_attempts_on",
    "method_of",
    "methods_of",
    "minimum_payment",
    "on_its_way",
    "primary_method",
    "recheck",
    "reserved_of",
    "retry_days",
    "retry_event",
    "set_up",
    "settle",
    "stale_attempts",
    "start_checkout",
    "tell_payer",
    "waiting_events",
    "why_not",
]
