"""Who owes what since when."""

from portal.receivables.account import AccountEvent, AccountLine, account_balance, account_lines
from portal.receivables.activity import Activity, activity_between
from portal.receivables.aging import (
    BUCKETS,
    FIGURES,
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
    groups_of,
)
from portal.receivables.months import MonthOfAging, aging_by_month
from portal.receivables.open_list import OpenItem, aging_workbook, every_open_item, open_list
from portal.receivables.pending import pending_items, pending_total

__all__ = [
    "BUCKETS",
    "FIGURES",
    "AccountEvent",
    "AccountLine",
    "Activity",
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
    "activity_between",
    "aging",
    "aging_by_month",
    "aging_of_customer",
    "aging_totals",
    "aging_workbook",
    "customers_owing",
    "every_open_item",
    "grouped_aging",
    "groups_of",
    "open_items",
    "open_list",
    "pending_items",
    "pending_total",
    "receivable_booked",
]
