"""Money received: record it, apply it, take it back."""

from portal.payments.applying import (
    apply_credit,
    apply_oldest_first,
    apply_payment,
    release_excess,
    unapply,
)
from portal.payments.counter import (
    CounterSale,
    Sold,
    change_for,
    counter_zone,
    price_sale,
    sell_at_counter,
)
from portal.payments.document_credit import credit_given_by, give_credit, withdraw_credit
from portal.payments.queries import (
    PaymentFilter,
    applications_to,
    credit_of,
    credit_of_many,
    credits_of,
    disputed_invoices,
    find_customer_payments,
    find_payments,
    get_payment,
    latest_payments,
)
from portal.payments.receipt import ReceiptPaper, receipt_paper, receipt_pdf
from portal.payments.receipts import receipt_address, send_receipt
from portal.payments.receiving import (
    PaymentReceived,
    ReceivedMoney,
    receive_payment,
)
from portal.payments.types import (
    PaymentTypeWords,
    add_payment_type,
    change_payment_type,
    get_payment_type,
    payment_types,
    type_is_used,
)

__all__ = [
    "CounterSale",
    "PaymentFilter",
    "PaymentReceived",
    "PaymentTypeWords",
    "ReceiptPaper",
    "ReceivedMoney",
    "Sold",
    "add_payment_type",
    "applications_to",
    "apply_credit",
    "apply_oldest_first",
    "apply_payment",
    "change_for",
    "change_payment_type",
    "counter_zone",
    "credit_given_by",
    "credit_of",
    "credit_of_many",
    "credits_of",
    "disputed_invoices",
    "find_customer_payments",
    "find_payments",
    "get_payment",
    "get_payment_type",
    "give_credit",
    "latest_payments",
    "payment_types",
    "price_sale",
    "receipt_address",
    "receipt_paper",
    "receipt_pdf",
    "receive_payment",
    "release_excess",
    "sell_at_counter",
    "send_receipt",
    "type_is_used",
    "unapply",
    "withdraw_credit",
]
