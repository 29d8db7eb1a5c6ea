"""Interest and late fees by the payment term: proposed, gone through by a person, charged."""

from portal.late_fees.queries import (
    ItemFilter,
    find_fee_runs,
    get_fee_run,
    items_of,
    sums_of,
    sums_of_runs,
)
from portal.late_fees.rules import (
    CHARGEABLE,
    FeeWords,
    end_exemption,
    exempt,
    exemption_of,
    limits,
    rule_of,
    rule_words,
    save_rule,
    set_limit,
)
from portal.late_fees.runs import (
    charge_run,
    leave_out,
    look_at_fee_run,
    start_fee_run,
    stop_fee_run,
    waiting_fee_runs,
)
from portal.late_fees.taking_back import fees_of, take_back_fee, taking_back_problem

__all__ = [
    "CHARGEABLE",
    "FeeWords",
    "ItemFilter",
    "charge_run",
    "end_exemption",
    "exempt",
    "exemption_of",
    "fees_of",
    "find_fee_runs",
    "get_fee_run",
    "items_of",
    "leave_out",
    "limits",
    "look_at_fee_run",
    "rule_of",
    "rule_words",
    "save_rule",
    "set_limit",
    "start_fee_run",
    "stop_fee_run",
    "sums_of",
    "sums_of_runs",
    "take_back_fee",
    "taking_back_problem",
    "waiting_fee_runs",
]
