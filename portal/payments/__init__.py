"""Money received and given back: record it, apply it, take it back, correct it, refund it."""

from portal.payments.applying import apply_credit, apply_oldest_first, apply_payment
from portal.payments.changing import PaymentWords, change_payment, change_problem, delete_payment
from portal.payments.counter import (
    CounterSale,
    Sold,
    change_for,
    counter_zone,
    price_sale,
    sell_at_counter,
)
from portal.payments.credit import credit_of, credit_of_many, credits_of
from portal.payments.credit_sums import credit_sums, customers_in_credit
from portal.payments.document_credit import (
    bound_problem,
    credit_given_by,
    give_credit,
    withdraw_credit,
)
from portal.payments.money_gone import MoneyGone, losses_of, money_gone_by, record_money_gone
from portal.payments.posting import (
    PaymentPosting,
    payment_posting_problem,
    post_payments,
    unpost_payments,
)
from portal.payments.queries import (
    PaymentFilter,
    PaymentSort,
    applications_to,
    disputed_invoices,
    find_customer_payments,
    find_payments,
    get_money,
    get_payment,
    latest_payments,
    refunds_about,
    refunds_of,
)
from portal.payments.reasons import (
    RefundReasonWords,
    add_refund_reason,
    change_refund_reason,
    get_refund_reason,
    refund_reasons,
)
from portal.payments.receipt import ReceiptPaper, receipt_paper, receipt_pdf
from portal.payments.receipts import (
    newest_receipt,
    receipt_address,
    receipt_email,
    receipt_values,
    send_receipt,
)
from portal.payments.receiving import PaymentReceived, ReceivedMoney, receive_payment
from portal.payments.refund_documents import RefundShares, shares_of_lines
from portal.payments.refund_rules import RefundWords, check_refund, effect_of
from portal.payments.refund_sources import (
    RefundSource,
    has_money,
    left_to_give_back,
    refund_problem,
    source_by_key,
    sources_of_invoice,
    sources_of_payment,
)
from portal.payments.refunding import refund, shares_of
from portal.payments.refunds_undone import undo_refund
from portal.payments.returning import ReturnReason, return_payment, return_problem
from portal.payments.returns_undone import taken_off, undo_return, undo_return_problem
from portal.payments.spoken_for import free_credit_of
from portal.payments.taking_back import (
    is_exported,
    live_applications,
    move_application,
    release_excess,
    unapply,
)
from portal.payments.types import (
    PaymentTypeWords,
    add_payment_type,
    change_payment_type,
    get_payment_type,
    payment_types,
    refund_types,
    type_is_used,
)
from portal.payments.voiding import void_problem, void_refund, went_through_gateway

__all__ = [
    "CounterSale",
    "MoneyGone",
    "PaymentFilter",
    "PaymentPosting",
    "PaymentReceived",
    "PaymentSort",
    "PaymentTypeWords",
    "PaymentWords",
    "ReceiptPaper",
    "ReceivedMoney",
    "RefundReasonWords",
    "RefundShares",
    "RefundSource",
    "RefundWords",
    "ReturnReason",
    "Sold",
    "add_payment_type",
    "add_refund_reason",
    "applications_to",
    "apply_credit",
    "apply_oldest_first",
    "apply_payment",
    "bound_problem",
    "change_for",
    "change_payment",
    "change_payment_type",
    "change_problem",
    "change_refund_reason",
    "check_refund",
    "counter_zone",
    "credit_given_by",
    "credit_of",
    "credit_of_many",
    "credit_sums",
    "credits_of",
    "customers_in_credit",
    "delete_payment",
    "disputed_invoices",
    "effect_of",
    "find_customer_payments",
    "find_payments",
    "free_credit_of",
    "get_money",
    "get_payment",
    "get_payment_type",
    "get_refund_reason",
    "give_credit",
    "has_money",
    "is_exported",
    "latest_payments",
    "left_to_give_back",
    "live_applications",
    "losses_of",
    "money_gone_by",
    "move_application",
    "newest_receipt",
    "payment_posting_problem",
    "payment_types",
    "post_payments",
    "price_sale",
    "receipt_address",
    "receipt_email",
    "receipt_paper",
    "receipt_pdf",
    "receipt_values",
    "receive_payment",
    "record_money_gone",
    "refund",
    "refund_problem",
    "refund_reasons",
    "refund_types",
    "refunds_about",
    "refunds_of",
    "release_excess",
    "return_payment",
    "return_problem",
    "sell_at_counter",
    "send_receipt",
    "shares_of",
    "shares_of_lines",
    "source_by_key",
    "sources_of_invoice",
    "sources_of_payment",
    "taken_off",
    "type_is_used",
    "unapply",
    "undo_refund",
    "undo_return",
    "undo_return_problem",
    "unpost_payments",
    "void_problem",
    "void_refund",
    "went_through_gateway",
    "withdraw_credit",
]
