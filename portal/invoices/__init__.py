"""Invoices: begin, edit, price, post, find."""

from portal.invoices.addresses import (
    billing_addresses,
    billing_contacts,
    copy_addresses,
    mobile_numbers,
)
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
from portal.invoices.from_jobs import cancel_job_invoice, fill_job_invoice
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
    application_entry,
    post_invoice,
    post_invoices,
    posting_problem,
    revenue_legs,
)
from portal.invoices.queries import (
    DueState,
    InvoiceFilter,
    find_invoice_ids,
    find_invoices,
    find_number,
    get_invoice,
    invoice_of_job,
    open_invoices,
    sum_of_invoices,
)
from portal.invoices.sending import (
    Sending,
    hand_out_link,
    send_invoice,
    send_text,
    sending_problem,
)
from portal.invoices.sent import ABOUT_INVOICES, mark_mailed, mark_opened, mark_sent
from portal.invoices.starting import (
    ManualInvoice,
    default_term,
    start_job_invoice,
    start_manual_invoice,
)
from portal.invoices.totals import price_invoice, tax_is_stale
from portal.invoices.wording import invoice_values, portal_url, template_kind

__all__ = [
    "ABOUT_INVOICES",
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
    "Sending",
    "add_line",
    "add_lines",
    "application_entry",
    "billing_addresses",
    "billing_contacts",
    "cancel_invoice",
    "cancel_job_invoice",
    "change_invoice",
    "change_line",
    "change_summary",
    "copy_addresses",
    "customer_open_invoices",
    "default_term",
    "fill_job_invoice",
    "find_customer_invoices",
    "find_invoice_ids",
    "find_invoices",
    "find_number",
    "get_invoice",
    "hand_out_link",
    "invoice_of_job",
    "invoice_of_token",
    "invoice_paper",
    "invoice_pdf",
    "invoice_values",
    "is_visible_to_customer",
    "make_pay_links",
    "mark_mailed",
    "mark_opened",
    "mark_sent",
    "mobile_numbers",
    "open_invoices",
    "pay_link_url",
    "portal_url",
    "post_invoice",
    "post_invoices",
    "posting_problem",
    "price_invoice",
    "refresh_tax",
    "remove_line",
    "revenue_legs",
    "review_invoice",
    "revoke_pay_links",
    "send_invoice",
    "send_text",
    "sending_problem",
    "start_job_invoice",
    "start_manual_invoice",
    "sum_of_invoices",
    "tax_is_stale",
    "template_kind",
]
