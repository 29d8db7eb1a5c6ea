"""Invoices: begin, edit, price, post, find."""

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
from portal.invoices.events import InvoiceChanged, InvoiceShrinking, InvoicesPosted
from portal.invoices.for_customers import (
    customer_open_invoices,
    find_customer_invoices,
    is_visible_to_customer,
)
from portal.invoices.from_jobs import cancel_job_invoice, fill_job_invoice, free_job_invoice
from portal.invoices.lines import LineWords, find_line
from portal.invoices.paper import InvoicePaper, invoice_paper, invoice_pdf
from portal.invoices.pay_links import (
    invoice_of_token,
    make_pay_links,
    pay_link_url,
    revoke_pay_links,
)
from portal.invoices.posting import (
    PostingOutcome,
    application_entry,
    post_invoice,
    post_invoices,
    posting_problem,
    revenue_legs,
)
from portal.invoices.previewing import PreviewRow, posting_preview
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
from portal.invoices.redating import date_on_open_day
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
    start_job_invoice,
    start_manual_invoice,
)
from portal.invoices.totals import price_invoice, tax_is_stale

__all__ = [
    "DueState",
    "InvoiceChanged",
    "InvoiceFacts",
    "InvoiceFilter",
    "InvoicePaper",
    "InvoiceShrinking",
    "InvoicesPosted",
    "LineWords",
    "ManualInvoice",
    "PostingOutcome",
    "PreviewRow",
    "add_line",
    "add_lines",
    "application_entry",
    "billing_addresses",
    "cancel_invoice",
    "cancel_job_invoice",
    "change_invoice",
    "change_line",
    "change_summary",
    "customer_open_invoices",
    "date_on_open_day",
    "default_term",
    "fill_job_invoice",
    "find_customer_invoices",
    "find_invoices",
    "find_line",
    "find_number",
    "free_job_invoice",
    "get_invoice",
    "hand_out_link",
    "invoice_of_job",
    "invoice_of_token",
    "invoice_paper",
    "invoice_pdf",
    "is_visible_to_customer",
    "make_pay_links",
    "mark_opened",
    "mark_sent",
    "open_invoices",
    "pay_link_url",
    "post_invoice",
    "post_invoices",
    "posting_preview",
    "posting_problem",
    "price_invoice",
    "refresh_tax",
    "remove_line",
    "revenue_legs",
    "review_invoice",
    "revoke_pay_links",
    "send_invoice",
    "start_job_invoice",
    "start_manual_invoice",
    "sum_of_invoices",
    "tax_is_stale",
]
