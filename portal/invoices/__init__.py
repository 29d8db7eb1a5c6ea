"""Invoices: begin, edit, price, post, find."""

from portal.invoices.booking import application_entry, revenue_legs
from portal.invoices.correcting import (
    correction_problem,
    start_adjustment,
    start_credit_note,
    write_off,
)
from portal.invoices.crediting import left_to_credit
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
    review_invoice,
)
from portal.invoices.events import (
    CreditWithdrawn,
    DocumentsCredited,
    InvoiceChanged,
    InvoiceShrinking,
    InvoicesPosted,
)
from portal.invoices.family import Family, family_of
from portal.invoices.financing import (
    finance,
    financing_problem,
    undo_financing,
    undoing_problem,
)
from portal.invoices.financing_pairs import Financing, financings_of
from portal.invoices.for_customers import (
    customer_open_invoices,
    find_customer_invoices,
    is_visible_to_customer,
)
from portal.invoices.from_jobs import cancel_job_invoice, fill_job_invoice
from portal.invoices.interest import (
    InterestProposal,
    charge_interest,
    interest_problem,
    propose_interest,
)
from portal.invoices.lines import LineWords
from portal.invoices.paper import InvoicePaper, invoice_paper, invoice_pdf
from portal.invoices.pay_links import (
    invoice_of_token,
    make_pay_links,
    pay_link_url,
    revoke_pay_links,
)
from portal.invoices.posting import (
    PostingOutcome,
    post_invoice,
    post_invoices,
    posting_problem,
)
from portal.invoices.queries import (
    DueState,
    InvoiceFilter,
    find_invoices,
    find_number,
    get_invoice,
    invoice_of_job,
    open_invoices,
    sum_of_invoices,
)
from portal.invoices.sending import (
    billing_addresses,
    hand_out_link,
    mark_opened,
    mark_sent,
    send_invoice,
)
from portal.invoices.starting import (
    ManualInvoice,
    default_term,
    price_draft,
    start_job_invoice,
    start_manual_invoice,
)
from portal.invoices.totals import price_invoice, tax_is_stale
from portal.invoices.types import add_invoice_type, change_invoice_type, invoice_types
from portal.invoices.unposting import unpost_invoice, unpost_invoices, unposting_problem
from portal.invoices.wording import document_word

__all__ = [
    "CreditWithdrawn",
    "DocumentsCredited",
    "DueState",
    "Family",
    "Financing",
    "InterestProposal",
    "InvoiceChanged",
    "InvoiceFacts",
    "InvoiceFilter",
    "InvoicePaper",
    "InvoiceShrinking",
    "InvoicesPosted",
    "LineWords",
    "ManualInvoice",
    "PostingOutcome",
    "add_invoice_type",
    "add_line",
    "add_lines",
    "application_entry",
    "billing_addresses",
    "cancel_invoice",
    "cancel_job_invoice",
    "change_invoice",
    "change_invoice_type",
    "change_line",
    "change_summary",
    "charge_interest",
    "correction_problem",
    "customer_open_invoices",
    "default_term",
    "document_word",
    "family_of",
    "fill_job_invoice",
    "finance",
    "financing_problem",
    "financings_of",
    "find_customer_invoices",
    "find_invoices",
    "find_number",
    "get_invoice",
    "hand_out_link",
    "interest_problem",
    "invoice_of_job",
    "invoice_of_token",
    "invoice_paper",
    "invoice_pdf",
    "invoice_types",
    "is_visible_to_customer",
    "left_to_credit",
    "make_pay_links",
    "mark_opened",
    "mark_sent",
    "open_invoices",
    "pay_link_url",
    "post_invoice",
    "post_invoices",
    "posting_problem",
    "price_draft",
    "price_invoice",
    "propose_interest",
    "refresh_tax",
    "remove_line",
    "revenue_legs",
    "review_invoice",
    "revoke_pay_links",
    "send_invoice",
    "start_adjustment",
    "start_credit_note",
    "start_job_invoice",
    "start_manual_invoice",
    "sum_of_invoices",
    "tax_is_stale",
    "undo_financing",
    "undoing_problem",
    "unpost_invoice",
    "unpost_invoices",
    "unposting_problem",
    "write_off",
]
