"""Batches: fill them, post them as one, take them back, print and download them."""

from portal.batches.asking import (
    Progress,
    ask_for_posting,
    progress_of,
    waiting_batches,
)
from portal.batches.filling import (
    FillingOutcome,
    add_invoices,
    add_matching_invoices,
    add_matching_payments,
    add_payments,
    leave_batch,
    remove_invoices,
    remove_payments,
)
from portal.batches.keeping import (
    BatchFilter,
    BatchSum,
    find_batches,
    get_batch,
    open_batches,
    rename_batch,
    start_batch,
    sum_of,
    sums_of,
)
from portal.batches.members import (
    invoices_in,
    payments_in,
    refusals_of,
    refused_members,
    seen_of,
    sums_by_kind,
)
from portal.batches.posting import (
    look_at_batch,
)
from portal.batches.printing import (
    find_print_runs,
    get_print_run,
    look_at_print_run,
    print_batch,
    print_runs_of,
    start_print_runs,
    stop_print_run,
    waiting_print_runs,
)
from portal.batches.readiness import (
    FreePayments,
    count_unbatched,
    unbatched_invoices,
    unbatched_payments,
    why_not_ready,
)
from portal.batches.rules import (
    RuleWords,
    add_rule,
    apply_rule,
    batch_by_rules,
    change_rule,
    find_rules,
    get_rule,
    unit_names,
)
from portal.batches.sheets import (
    workbook_of,
)
from portal.batches.unposting import (
    unpost_batch,
)
from portal.batches.warnings import (
    REFUSED,
    BatchWarning,
    count_warnings,
    warnings_of,
)

__all__ = [
    "REFUSED",
    "BatchFilter",
    "BatchSum",
    "BatchWarning",
    "FillingOutcome",
    "FreePayments",
    "Progress",
    "RuleWords",
    "add_invoices",
    "add_matching_invoices",
    "add_matching_payments",
    "add_payments",
    "add_rule",
    "apply_rule",
    "ask_for_posting",
    "batch_by_rules",
    "change_rule",
    "count_unbatched",
    "count_warnings",
    "find_batches",
    "find_print_runs",
    "find_rules",
    "get_batch",
    "get_print_run",
    "get_rule",
    "invoices_in",
    "leave_batch",
    "look_at_batch",
    "look_at_print_run",
    "open_batches",
    "payments_in",
    "print_batch",
    "print_runs_of",
    "progress_of",
    "refusals_of",
    "refused_members",
    "remove_invoices",
    "remove_payments",
    "rename_batch",
    "seen_of",
    "start_batch",
    "start_print_runs",
    "stop_print_run",
    "sum_of",
    "sums_by_kind",
    "sums_of",
    "unbatched_invoices",
    "unbatched_payments",
    "unit_names",
    "unpost_batch",
    "waiting_batches",
    "waiting_print_runs",
    "warnings_of",
    "why_not_ready",
    "workbook_of",
]
