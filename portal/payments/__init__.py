"""Money received: record it, apply it, take it back."""

from portal.payments.applying import (
    apply_oldest_first,
    apply_payment,
    release_excess,
    unapply,
)
from portal.payments.queries import (
    PaymentFilter,
    applications_to,
    credit_of,
    find_payments,
    get_payment,
    payment_types,
)
from portal.payments.receiving import (
    PaymentReceived,
    ReceivedMoney,
    receive_payment,
)

__all__ = [
    "PaymentFilter",
    "PaymentReceived",
    "ReceivedMoney",
    "applications_to",
    "apply_oldest_first",
    "apply_payment",
    "credit_of",
    "find_payments",
    "get_payment",
    "payment_types",
    "receive_payment",
    "release_excess",
    "unapply",
]
