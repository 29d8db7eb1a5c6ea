"""Taking payments online. The rest of the house sees Gateway, never a vendor."""

from portal.payment_collection.attempts import (
    AttemptFilter,
    EventFilter,
    attempt_by_public_id,
    find_attempts,
    find_events,
    get_event,
    live_attempts_on,
)
from portal.payment_collection.checkout import CheckoutWanted, minimum_payment, start_checkout
from portal.payment_collection.comparing import compare_with_gateway
from portal.payment_collection.deposits import (
    bank_accounts,
    choose_payout_account,
    payout_account,
)
from portal.payment_collection.differences import (
    DifferenceFilter,
    explain,
    find_differences,
    get_difference,
    record_now,
)
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
from portal.payment_collection.inbox import (
    handle_event,
    keep_event,
    retry_event,
    set_event_aside,
    waiting_events,
)
from portal.payment_collection.janitor import (
    close_stale,
    close_stale_checkouts,
    due_attempts,
    recheck,
    stale_attempts,
)
from portal.payment_collection.movements import book_as_fees
from portal.payment_collection.payout_queries import (
    MovementFilter,
    PayoutFilter,
    deposit_of,
    find_movements,
    find_payouts_kept,
    get_payout,
    movements_in,
    proof_of,
    waiting_online,
    workbook_of_payout,
)
from portal.payment_collection.payouts import (
    due_payouts,
    find_payouts,
    look_at_movement,
    settle_payout,
)
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
    "DifferenceFilter",
    "EventFilter",
    "EventSeen",
    "ForgedEvent",
    "Gateway",
    "MovementFilter",
    "OpenedCheckout",
    "PaymentCameBack",
    "PaymentOnItsWay",
    "PayoutFilter",
    "attempt_by_public_id",
    "bank_accounts",
    "book_as_fees",
    "choose_payout_account",
    "close_stale",
    "close_stale_checkouts",
    "compare_with_gateway",
    "deposit_of",
    "due_attempts",
    "due_payouts",
    "explain",
    "find_attempts",
    "find_differences",
    "find_events",
    "find_movements",
    "find_payouts",
    "find_payouts_kept",
    "gateway",
    "get_difference",
    "get_event",
    "get_payout",
    "handle_event",
    "has_gateway",
    "has_test_gateway",
    "keep_event",
    "let_arrive",
    "let_fail",
    "live_attempts_on",
    "look_at_movement",
    "minimum_payment",
    "movements_in",
    "pay_out_daily",
    "pay_out_now",
    "payout_account",
    "proof_of",
    "recheck",
    "record_now",
    "retry_event",
    "set_event_aside",
    "set_up",
    "settle",
    "settle_payout",
    "stale_attempts",
    "start_checkout",
    "tell_payer",
    "waiting_events",
    "waiting_online",
    "workbook_of_payout",
]
