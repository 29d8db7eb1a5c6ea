"""Who owes what since when."""

from portal.receivables.aging import (
    BUCKETS,
    Aging,
    AgingFilter,
    AgingRow,
    aging,
    aging_of_customer,
    control_difference,
    open_items,
)

__all__ = [
    "BUCKETS",
    "Aging",
    "AgingFilter",
    "AgingRow",
    "aging",
    "aging_of_customer",
    "control_difference",
    "open_items",
]
