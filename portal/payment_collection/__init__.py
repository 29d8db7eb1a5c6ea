"""Taking payments online. The rest of the house sees Gateway, never a vendor."""

from portal.payment_collection.attempts import (
    AttemptFilter,
    ChargeEnded,
    attempt_by_public_id,
    find_attempts,
    find_events,
    get_attempt,
    get_event,
    live_attempts_on,
)
from portal.payment_collection.charging import ChargeWanted, charge_method
from portal.payment_collection.checkout import (
    CheckoutWanted,
    attempts_in_the_way,
    check_shares,
    minimum_payment,
    start_checkout,
)
from portal.payment_collection.consents import (
    ConsentGiven,
    keep_consent,
    keeping_words,
    seal_of,
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
from portal.payment_collection.keeping import (
    MethodSaved,
    make_primary,
    needs_of,
    successor_of,
)
from portal.payment_collection.method_letters import (
    last_day_of_month,
    mail_way_to_save,
    tell_gone,
    tell_of_expiring,
)
from portal.payment_collection.method_lists import MethodFilter, MethodWorry, find_methods
from portal.payment_collection.methods import (
    all_methods_of,
    chargeable_method,
    find_method,
    method_of,
    methods_of,
    primary_method,
    why_not,
)
from portal.payment_collection.removing import removal_problem, remove_method
from portal.payment_collection.saving import SetupWanted, recheck_setup, start_setup
from portal.payment_collection.set_up import set_up
from portal.payment_collection.settling import PaymentCameBack, PaymentOnItsWay, settle
from portal.payment_collection.setups import due_setups, settle_setup, setup_by_public_id
from portal.payment_collection.telling import tell_payer
from portal.payment_collection.watching import MethodGone, look_at_method

__all__ = [
    "AttemptFilter",
    "ChargeEnded",
    "ChargeWanted",
    "CheckoutSeen",
    "CheckoutState",
    "CheckoutWanted",
    "ConsentGiven",
    "EventSeen",
    "ForgedEvent",
    "Gateway",
    "MethodFilter",
    "MethodGone",
    "MethodSaved",
    "MethodWorry",
    "OpenedCheckout",
    "PaymentCameBack",
    "PaymentOnItsWay",
    "SetupWanted",
    "all_methods_of",
    "attempt_by_public_id",
    "attempts_in_the_way",
    "charge_method",
    "chargeable_method",
    "check_shares",
    "close_stale",
    "close_stale_checkouts",
    "due_attempts",
    "due_setups",
    "find_attempts",
    "find_events",
    "find_method",
    "find_methods",
    "gateway",
    "get_attempt",
    "get_event",
    "handle_event",
    "has_gateway",
    "keep_consent",
    "keep_event",
    "keeping_words",
    "last_day_of_month",
    "live_attempts_on",
    "look_at_method",
    "mail_way_to_save",
    "make_primary",
    "method_of",
    "methods_of",
    "minimum_payment",
    "needs_of",
    "primary_method",
    "recheck",
    "recheck_setup",
    "removal_problem",
    "remove_method",
    "retry_event",
    "seal_of",
    "set_up",
    "settle",
    "settle_setup",
    "setup_by_public_id",
    "stale_attempts",
    "start_checkout",
    "start_setup",
    "successor_of",
    "tell_gone",
    "tell_of_expiring",
    "tell_payer",
    "waiting_events",
    "why_not",
]
