"""Double entry: everything that changes what is owed goes through here."""

from portal.ledger.accounts import (
    AccountFilter,
    account_for,
    account_id_for,
    active_accounts,
    add_account,
    change_account,
    ensure_chart,
    find_accounts,
    get_account,
    income_account_for,
)
from portal.ledger.balances import TrialBalanceRow, balance_of, trial_balance
from portal.ledger.books import Broken, broken_invariants, verify_books
from portal.ledger.closed_days import ClosedDays, closed_days
from portal.ledger.closing import Month, close_through, months_of, reopen_month, to_close
from portal.ledger.numbering import is_numbered_for, is_own_number, next_number
from portal.ledger.periods import (
    closed_sentence,
    forget_periods_after_each_transaction,
    hold_periods,
    is_open,
    next_open_day,
    require_open_period,
)
from portal.ledger.posting import Entry, Leg, entries_of, post_entries, post_entry, reverse_entry
from portal.ledger.reading import (
    Activity,
    ActivityRow,
    EntryFilter,
    account_activity,
    find_entries,
    hledger_text,
    payments_of,
)

__all__ = [
    "AccountFilter",
    "Activity",
    "ActivityRow",
    "Broken",
    "ClosedDays",
    "Entry",
    "EntryFilter",
    "Leg",
    "Month",
    "TrialBalanceRow",
    "account_activity",
    "account_for",
    "account_id_for",
    "active_accounts",
    "add_account",
    "balance_of",
    "broken_invariants",
    "change_account",
    "close_through",
    "closed_days",
    "closed_sentence",
    "ensure_chart",
    "entries_of",
    "find_accounts",
    "find_entries",
    "forget_periods_after_each_transaction",
    "get_account",
    "hledger_text",
    "hold_periods",
    "income_account_for",
    "is_numbered_for",
    "is_open",
    "is_own_number",
    "months_of",
    "next_number",
    "next_open_day",
    "payments_of",
    "post_entries",
    "post_entry",
    "reopen_month",
    "require_open_period",
    "reverse_entry",
    "to_close",
    "trial_balance",
    "verify_books",
]
