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
from portal.payment_collection.disputes import (
    DisputeFilter,
    disputes_of,
    find_disputes,
    get_dispute,
    look_at_dispute,
    movements_of,
    recheck_dispute,
    recheck_disputes,
    to_answer,
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
from portal.payment_collection.payouts import due_payouts, find_payouts, settle_payout
from portal.payment_collection.refunds import (
    due_refunds,
    gateway_problem,
    gateway_refund_of,
    gateway_refunds_of,
    send_back,
)
from portal.payment_collection.refunds_elsewhere import find_refunds
from portal.payment_collection.rules import (
    RuleWords,
    change_rules,
    collection_rules,
    retry_days,
)
from portal.payment_collection.set_up import set_up
from portal.payment_collection.settling import PaymentCameBack, PaymentOnItsWay, settle
from portal.payment_collection.settling_refunds import recheck_refund, settle_refund
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
    "ChargeEnded",
    "ChargeWanted",
    "CheckoutSeen",
    "CheckoutState",
    "CheckoutWanted",
    "DisputeFilter",
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
    "disputes_of",
    "due_attempts",
    "due_payouts",
    "due_refunds",
    "expected_on",
    "find_attempts",
    "find_disputes",
    "find_events",
    "find_payouts",
    "find_refunds",
    "gateway",
    "gateway_problem",
    "gateway_refund_of",
    "gateway_refunds_of",
    "get_dispute",
    "get_event",
    "handle_event",
    "has_gateway",
    "has_test_gateway",
    "is_on_its_way",
    "keep_event",
    "let_arrive",
    "let_fail",
    "live_attempts_on",
    "look_at_dispute",
    "method_of",
    "methods_of",
    "minimum_payment",
    "movements_of",
    "on_its_way",
    "pay_out_daily",
    "pay_out_now",
    "primary_method",
    "recheck",
    "recheck_dispute",
    "recheck_disputes",
    "recheck_refund",
    "reserved_of",
    "retry_days",
    "retry_event",
    "send_back",
    "set_up",
    "settle",
    "settle_payout",
    "settle_refund",
    "stale_attempts",
    "start_checkout",
    "tell_payer",
    "to_answer",
    "waiting_events",
    "why_not",
]
