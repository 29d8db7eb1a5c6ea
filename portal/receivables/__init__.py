"""Who owes what since when."""

from portal.receivables.account import AccountEvent, AccountLine, account_balance, account_lines
from portal.receivables.aging import (
    BUCKETS,
    Aging,
    AgingFilter,
    AgingRow,
    aging,
    aging_of_customer,
    aging_totals,
    customers_owing,
    open_items,
    receivable_booked,
)
from portal.receivables.pending import pending_items, pending_total

__all__ = [
    "BUCKETS",
    "AccountEvent",
    "AccountLine",
    "Aging",
    "AgingFilter",
    "AgingRow",
    "account_balance",
    "account_lines",
    "aging",
    "aging_of_customer",
    "aging_totals",
    "customers_owing",
    "open_items",
    "pending_items",
    "pending_total",
    "receivable_booked",
]
