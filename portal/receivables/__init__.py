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
from portal.receivables.grouping import (
    AgingBy,
    AgingView,
    GroupedAging,
    GroupRow,
    grouped_aging,
)
from portal.receivables.months import MonthOfAging, aging_by_month
from portal.receivables.open_list import OpenItem, aging_workbook, open_list
from portal.receivables.pending import pending_items, pending_total

__all__ = [
    "BUCKETS",
    "AccountEvent",
    "AccountLine",
    "Aging",
    "AgingBy",
    "AgingFilter",
    "AgingRow",
    "AgingView",
    "GroupRow",
    "GroupedAging",
    "MonthOfAging",
    "OpenItem",
    "account_balance",
    "account_lines",
    "aging",
    "aging_by_month",
    "aging_of_customer",
    "aging_totals",
    "aging_workbook",
    "customers_owing",
    "grouped_aging",
    "open_items",
    "open_list",
    "pending_items",
    "pending_total",
    "receivable_booked",
]
