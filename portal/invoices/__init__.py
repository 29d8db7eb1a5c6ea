"""Invoices: begin, edit, price, post, find."""

from portal.invoices.addresses import (
    billing_addresses,
    billing_contacts,
    copy_addresses,
    customer_addresses,
    mobile_numbers,
)
from portal.invoices.allowed_edits import RULES, Edit, require_allowed, why_not
from portal.invoices.approval import (
    OWN_WORK,
    approval_problem,
    approvals_waiting,
    approve_invoice,
    ask_again,
    reject_invoice,
)
from portal.invoices.approval_rules import (
    ApprovalWords,
    active_rules,
    add_rule,
    change_rule,
    conditions_of,
    find_rules,
    get_rule,
)
from portal.invoices.booking import application_entry, revenue_legs
from portal.invoices.checklist import Check, Finding, checklist, checklists
from portal.invoices.correcting import (
    correction_problem,
    start_adjustment,
    start_credit_note,
    write_off,
)
from portal.invoices.crediting import ONLY_WHAT_IS_OWED, left_to_credit
from portal.invoices.editing import (
    InvoiceFacts,
    add_line,
    add_lines,
    cancel_invoice,
    change_invoice,
    change_line,
    change_summary,
    refresh_tax,
    remove_line,
)
from portal.invoices.electronic import ElectronicDataMissing
from portal.invoices.events import (
    CreditWithdrawn,
    DocumentsCredited,
    InvoiceChanged,
    InvoiceShrinking,
    InvoicesPosted,
)
from portal.invoices.family import Family, family_of
from portal.invoices.financing import finance, financing_problem, undo_financing, undoing_problem
from portal.invoices.financing_pairs import Financing, financings_of
from portal.invoices.for_customers import (
    customer_open_invoices,
    find_customer_invoices,
    is_visible_to_customer,
)
from portal.invoices.from_jobs import cancel_job_invoice, fill_job_invoice, free_job_invoice
from portal.invoices.in_dispute import disputed_amounts
from portal.invoices.interest import (
    InterestProposal,
    charge_interest,
    interest_problem,
    propose_interest,
)
from portal.invoices.internal_papers import IS_INTERNAL
from portal.invoices.lines import LineWords, find_line
from portal.invoices.locking import hold_counters, in_date_order, lock_in_order, posting_under_way
from portal.invoices.message_words import (
    guest_link,
    invoice_values,
    newest_sent_with,
    portal_url,
    template_kind,
)
from portal.invoices.on_plans import customers_on_plans, live_plans_of, plans_in_good_standing
from portal.invoices.paper import InvoicePaper, invoice_paper
from portal.invoices.pay_links import (
    invoice_of_token,
    make_pay_links,
    pay_link_url,
    revoke_pay_links,
)
from portal.invoices.placing import place_invoice
from portal.invoices.posting import PostingOutcome, post_invoice, post_invoices, posting_problem
from portal.invoices.previewing import PreviewRow, posting_preview
from portal.invoices.printing import invoice_pdf, pdf_name, sample_pdf
from portal.invoices.queries import (
    BATCHED,
    UNBATCHED,
    DueState,
    InvoiceFilter,
    find_invoices,
    get_invoice,
    ids_of_invoices,
    ids_to_send,
    invoice_of_job,
    open_invoices,
    recent_batches,
    sum_of_invoices,
)
from portal.invoices.redating import date_on_open_day
from portal.invoices.review import (
    ReviewOutcome,
    assign_invoices,
    review_invoice,
    review_invoices,
    reviewers,
)
from portal.invoices.review_queue import (
    ME,
    NOBODY,
    TO_DO,
    WARNINGS,
    Neighbours,
    ReviewFilter,
    find_aging,
    find_paid,
    find_to_review,
    job_types,
    neighbours,
    sum_to_review,
)
from portal.invoices.sample import sample_paper
from portal.invoices.sending import (
    Sending,
    hand_out_link,
    send_invoice,
    send_text,
    sending_problem,
    show_link,
)
from portal.invoices.sent import ABOUT_INVOICES, mark_mailed, mark_opened, mark_sent
from portal.invoices.starting import (
    ManualInvoice,
    default_term,
    price_draft,
    start_job_invoice,
    start_manual_invoice,
)
from portal.invoices.totals import price_invoice, tax_is_stale
from portal.invoices.types import add_invoice_type, change_invoice_type, invoice_types
from portal.invoices.unposting import (
    lock_to_unpost,
    unpost_invoice,
    unpost_invoices,
    unposting_problem,
)
from portal.invoices.wording import document_word

__all__ = [
    "ABOUT_INVOICES",
    "BATCHED",
    "IS_INTERNAL",
    "ME",
    "NOBODY",
    "ONLY_WHAT_IS_OWED",
    "OWN_WORK",
    "RULES",
    "TO_DO",
    "UNBATCHED",
    "WARNINGS",
    "ApprovalWords",
    "Check",
    "CreditWithdrawn",
    "DocumentsCredited",
    "DueState",
    "Edit",
    "ElectronicDataMissing",
    "Family",
    "Financing",
    "Finding",
    "InterestProposal",
    "InvoiceChanged",
    "InvoiceFacts",
    "InvoiceFilter",
    "InvoicePaper",
    "InvoiceShrinking",
    "InvoicesPosted",
    "LineWords",
    "ManualInvoice",
    "Neighbours",
    "PostingOutcome",
    "PreviewRow",
    "ReviewFilter",
    "ReviewOutcome",
    "Sending",
    "active_rules",
    "add_invoice_type",
    "add_line",
    "add_lines",
    "add_rule",
    "application_entry",
    "approval_problem",
    "approvals_waiting",
    "approve_invoice",
    "ask_again",
    "assign_invoices",
    "billing_addresses",
    "billing_contacts",
    "cancel_invoice",
    "cancel_job_invoice",
    "change_invoice",
    "change_invoice_type",
    "change_line",
    "change_rule",
    "change_summary",
    "charge_interest",
    "checklist",
    "checklists",
    "conditions_of",
    "copy_addresses",
    "correction_problem",
    "customer_addresses",
    "customer_open_invoices",
    "customers_on_plans",
    "date_on_open_day",
    "default_term",
    "disputed_amounts",
    "document_word",
    "family_of",
    "fill_job_invoice",
    "finance",
    "financing_problem",
    "financings_of",
    "find_aging",
    "find_customer_invoices",
    "find_invoices",
    "find_line",
    "find_paid",
    "find_rules",
    "find_to_review",
    "free_job_invoice",
    "get_invoice",
    "get_rule",
    "guest_link",
    "hand_out_link",
    "hold_counters",
    "ids_of_invoices",
    "ids_to_send",
    "in_date_order",
    "interest_problem",
    "invoice_of_job",
    "invoice_of_token",
    "invoice_paper",
    "invoice_pdf",
    "invoice_types",
    "invoice_values",
    "is_visible_to_customer",
    "job_types",
    "left_to_credit",
    "live_plans_of",
    "lock_in_order",
    "lock_to_unpost",
    "make_pay_links",
    "mark_mailed",
    "mark_opened",
    "mark_sent",
    "mobile_numbers",
    "neighbours",
    "newest_sent_with",
    "open_invoices",
    "pay_link_url",
    "pdf_name",
    "place_invoice",
    "plans_in_good_standing",
    "portal_url",
    "post_invoice",
    "post_invoices",
    "posting_preview",
    "posting_problem",
    "posting_under_way",
    "price_draft",
    "price_invoice",
    "propose_interest",
    "recent_batches",
    "refresh_tax",
    "reject_invoice",
    "remove_line",
    "require_allowed",
    "revenue_legs",
    "review_invoice",
    "review_invoices",
    "reviewers",
    "revoke_pay_links",
    "sample_paper",
    "sample_pdf",
    "send_invoice",
    "send_text",
    "sending_problem",
    "show_link",
    "start_adjustment",
    "start_credit_note",
    "start_job_invoice",
    "start_manual_invoice",
    "sum_of_invoices",
    "sum_to_review",
    "tax_is_stale",
    "template_kind",
    "undo_financing",
    "undoing_problem",
    "unpost_invoice",
    "unpost_invoices",
    "unposting_problem",
    "why_not",
    "write_off",
]
