"""Taking payments online. The rest of the house sees Gateway, never a vendor."""

from portal.payment_collection.attempts import (
    AttemptFilter,
    attempt_by_public_id,
    find_attempts,
    find_events,
    get_event,
    live_attempts_on,
)
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
from portal.payment_collection.payouts import due_payouts, find_payouts, settle_payout
from portal.payment_collection.set_up import set_up
from portal.payment_collection.settling import PaymentCameBack, PaymentOnItsWay, settle
from portal.payment_collection.telling import tell_payer
from portal.payment_collection.test_payouts import (
    has_test_gateway,
    let_arrive,
    let_fail,
    pay_out_daily,
    pay_out_now,
)

__all__ = [
    "AttemptFilter",
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
    "close_stale",
    "close_stale_checkouts",
    "due_attempts",
    "due_payouts",
    "find_attempts",
    "find_events",
    "find_payouts",
    "gateway",
    "get_event",
    "handle_event",
    "has_gateway",
    "has_test_gateway",
    "keep_event",
    "let_arrive",
    "let_fail",
    "live_attempts_on",
    "minimum_payment",
    "pay_out_daily",
    "pay_out_now",
    "recheck",
    "retry_event",
    "set_up",
    "settle",
    "settle_payout",
    "stale_attempts",
    "start_checkout",
    "tell_payer",
    "waiting_events",
]
