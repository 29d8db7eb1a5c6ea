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
from portal.payment_collection.autopay import (
    AutopayWords,
    autopay_of,
    consent_to,
    method_for,
    turn_off,
    turn_on,
)
from portal.payment_collection.autopay_words import (
    AgreedBy,
    autopay_text,
)
from portal.payment_collection.bulk import (
    Preview,
    RunFigures,
    figures_of_charge_runs,
    find_charge_runs,
    find_run_charges,
    get_charge_run,
    look_at_charge_run,
    outcomes_workbook,
    preview_charges,
    start_charge_run,
    stop_charge_run,
    waiting_charge_runs,
)
from portal.payment_collection.charge_lists import (
    ChargeFilter,
    ChargeSort,
    cancel_planned,
    charge_of_invoice,
    charges_needing_somebody,
    coming_charges,
    find_charges,
    get_charge,
    try_again_today,
)
from portal.payment_collection.charging import (
    ChargeWanted,
    charge_method,
)
from portal.payment_collection.checkout import (
    CheckoutWanted,
    attempts_in_the_way,
    check_shares,
    minimum_payment,
    start_checkout,
)
from portal.payment_collection.consents import (
    OFFICE_MAY_CHARGE,
    ConsentGiven,
    covers_office_charges,
    keep_consent,
    keeping_words,
    seal_of,
)
from portal.payment_collection.deciding import (
    Decision,
    Verdict,
    decide_autopay,
    decide_bulk,
    decide_by,
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
    waiting_events,
)
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
from portal.payment_collection.methods import (
    all_methods_of,
    chargeable_method,
    find_method,
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
from portal.payment_collection.payouts import (
    due_payouts,
    find_payouts,
    settle_payout,
)
from portal.payment_collection.planned import (
    look_again_at_charges,
    look_at_charge,
    note_ended_charge,
    waiting_charges,
)
from portal.payment_collection.planning import (
    plan_autopay,
)
from portal.payment_collection.refunds import (
    due_refunds,
    gateway_problem,
    gateway_refund_of,
    gateway_refunds_of,
    send_back,
)
from portal.payment_collection.refunds_elsewhere import (
    find_refunds,
)
from portal.payment_collection.removing import (
    removal_problem,
    remove_method,
)
from portal.payment_collection.rules import (
    RuleWords,
    change_rules,
    collection_rules,
    retry_days,
)
from portal.payment_collection.saving import (
    SetupWanted,
    recheck_setup,
    start_setup,
)
from portal.payment_collection.set_up import (
    set_up,
)
from portal.payment_collection.settling import (
    PaymentCameBack,
    PaymentOnItsWay,
    settle,
)
from portal.payment_collection.settling_refunds import (
    recheck_refund,
    settle_refund,
)
from portal.payment_collection.setups import (
    due_setups,
    settle_setup,
    setup_by_public_id,
)
from portal.payment_collection.standing import (
    Standing,
    standings,
)
from portal.payment_collection.telling import (
    tell_payer,
)
from portal.payment_collection.test_payouts import (
    has_test_gateway,
    let_arrive,
    let_fail,
    pay_out_daily,
    pay_out_now,
)
from portal.payment_collection.watching import (
    MethodGone,
    look_at_method,
)

__all__ = [
    "OFFICE_MAY_CHARGE",
    "AgreedBy",
    "AttemptFilter",
    "AutopayWords",
    "ChargeEnded",
    "ChargeFilter",
    "ChargeSort",
    "ChargeWanted",
    "CheckoutSeen",
    "CheckoutState",
    "CheckoutWanted",
    "ConsentGiven",
    "Decision",
    "DisputeFilter",
    "EventSeen",
    "ForgedEvent",
    "Gateway",
    "MethodGone",
    "MethodSaved",
    "OnItsWay",
    "OpenedCheckout",
    "PaymentCameBack",
    "PaymentOnItsWay",
    "Preview",
    "RuleWords",
    "RunFigures",
    "SetupWanted",
    "Standing",
    "Verdict",
    "all_methods_of",
    "attempt_by_public_id",
    "attempts_in_the_way",
    "autopay_of",
    "autopay_text",
    "cancel_planned",
    "change_rules",
    "charge_method",
    "charge_of_invoice",
    "chargeable_method",
    "charges_needing_somebody",
    "check_shares",
    "close_stale",
    "close_stale_checkouts",
    "collection_rules",
    "coming_charges",
    "consent_to",
    "covers_office_charges",
    "decide_autopay",
    "decide_bulk",
    "decide_by",
    "disputes_of",
    "due_attempts",
    "due_payouts",
    "due_refunds",
    "due_setups",
    "expected_on",
    "figures_of_charge_runs",
    "find_attempts",
    "find_charge_runs",
    "find_charges",
    "find_disputes",
    "find_events",
    "find_method",
    "find_payouts",
    "find_refunds",
    "find_run_charges",
    "gateway",
    "gateway_problem",
    "gateway_refund_of",
    "gateway_refunds_of",
    "get_attempt",
    "get_charge",
    "get_charge_run",
    "get_dispute",
    "get_event",
    "handle_event",
    "has_gateway",
    "has_test_gateway",
    "is_on_its_way",
    "keep_consent",
    "keep_event",
    "keeping_words",
    "last_day_of_month",
    "let_arrive",
    "let_fail",
    "live_attempts_on",
    "look_again_at_charges",
    "look_at_charge",
    "look_at_charge_run",
    "look_at_dispute",
    "look_at_method",
    "mail_way_to_save",
    "make_primary",
    "method_for",
    "method_of",
    "methods_of",
    "minimum_payment",
    "movements_of",
    "needs_of",
    "note_ended_charge",
    "on_its_way",
    "outcomes_workbook",
    "pay_out_daily",
    "pay_out_now",
    "plan_autopay",
    "preview_charges",
    "primary_method",
    "recheck",
    "recheck_dispute",
    "recheck_disputes",
    "recheck_refund",
    "recheck_setup",
    "removal_problem",
    "remove_method",
    "reserved_of",
    "retry_days",
    "retry_event",
    "seal_of",
    "send_back",
    "set_up",
    "settle",
    "settle_payout",
    "settle_refund",
    "settle_setup",
    "setup_by_public_id",
    "stale_attempts",
    "standings",
    "start_charge_run",
    "start_checkout",
    "start_setup",
    "stop_charge_run",
    "successor_of",
    "tell_gone",
    "tell_of_expiring",
    "tell_payer",
    "to_answer",
    "try_again_today",
    "turn_off",
    "turn_on",
    "waiting_charge_runs",
    "waiting_charges",
    "waiting_events",
    "why_not",
]
