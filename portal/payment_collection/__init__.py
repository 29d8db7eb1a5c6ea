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
from portal.payment_collection.dispute_answers import (
    answer_dispute,
    answer_problem,
    said_of,
    send_answer,
    waiting_answers,
)
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
from portal.payment_collection.evidence import FIELDS as EVIDENCE_FIELDS
from portal.payment_collection.evidence import evidence_pdf, proposed_words
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
from portal.payment_collection.money_back_waiting import (
    MoneyBackWaiting,
    failed_refunds,
    find_refunds_in_transit,
    money_back_waiting,
)
from portal.payment_collection.refund_requests import (
    approve_refund,
    decline_refund,
    get_request,
    give_back_or_ask,
    needs_approval,
    refund_limit,
    requests_of,
    requests_waiting,
    set_refund_limit,
    words_of,
)
from portal.payment_collection.refunds import (
    due_refunds,
    gateway_problem,
    gateway_refund_of,
    gateway_refunds_of,
    send_back,
)
from portal.payment_collection.refunds_elsewhere import find_refunds
from portal.payment_collection.set_up import set_up
from portal.payment_collection.settling import PaymentCameBack, PaymentOnItsWay, settle
from portal.payment_collection.settling_refunds import recheck_refund, settle_refund
from portal.payment_collection.telling import tell_payer

__all__ = [
    "EVIDENCE_FIELDS",
    "AttemptFilter",
    "CheckoutSeen",
    "CheckoutState",
    "CheckoutWanted",
    "DisputeFilter",
    "EventSeen",
    "ForgedEvent",
    "Gateway",
    "MoneyBackWaiting",
    "OpenedCheckout",
    "PaymentCameBack",
    "PaymentOnItsWay",
    "answer_dispute",
    "answer_problem",
    "approve_refund",
    "attempt_by_public_id",
    "close_stale",
    "close_stale_checkouts",
    "decline_refund",
    "disputes_of",
    "due_attempts",
    "due_refunds",
    "evidence_pdf",
    "failed_refunds",
    "find_attempts",
    "find_disputes",
    "find_events",
    "find_refunds",
    "find_refunds_in_transit",
    "gateway",
    "gateway_problem",
    "gateway_refund_of",
    "gateway_refunds_of",
    "get_dispute",
    "get_event",
    "get_request",
    "give_back_or_ask",
    "handle_event",
    "has_gateway",
    "keep_event",
    "live_attempts_on",
    "look_at_dispute",
    "minimum_payment",
    "money_back_waiting",
    "movements_of",
    "needs_approval",
    "proposed_words",
    "recheck",
    "recheck_dispute",
    "recheck_disputes",
    "recheck_refund",
    "refund_limit",
    "requests_of",
    "requests_waiting",
    "retry_event",
    "said_of",
    "send_answer",
    "send_back",
    "set_refund_limit",
    "set_up",
    "settle",
    "settle_refund",
    "stale_attempts",
    "start_checkout",
    "tell_payer",
    "to_answer",
    "waiting_answers",
    "waiting_events",
    "words_of",
]
