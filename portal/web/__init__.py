"""What every face shares: fragments, guards, forms, lists, errors, transactions, headers."""

from portal.db import PageRequest
from portal.web.bodies import read_report
from portal.web.coming_back import page_before, safe_next
from portal.web.fields import (
    ChoiceField,
    DayField,
    IdField,
    MoneyField,
    PercentField,
    QuantityField,
    UnitPriceField,
    VersionField,
    read_money,
    words_of,
)
from portal.web.forms import Form
from portal.web.fragments import notify, redirect_to, render_page
from portal.web.guards import (
    Anybody,
    csrf_exempt,
    current_payer,
    current_user,
    guard_faces,
    is_the_office,
    may,
    needs,
    open_to_all,
    payers_only,
    refuse_unmarked_views,
    require,
    set_cookie,
    sign_out_cookie,
    signed_in_user,
    token_of,
)
from portal.web.htmx import wants_fragment
from portal.web.listing import asked_for, filters, page_request, url_with
from portal.web.once import OnceField, forget_old_submissions, is_repeat, once
from portal.web.papers import pdf_response
from portal.web.set_up import set_up
from portal.web.sheets import csv_response
from portal.web.transaction import TransactionalFlask

__all__ = [
    "Anybody",
    "ChoiceField",
    "DayField",
    "Form",
    "IdField",
    "MoneyField",
    "OnceField",
    "PageRequest",
    "PercentField",
    "QuantityField",
    "TransactionalFlask",
    "UnitPriceField",
    "VersionField",
    "asked_for",
    "csrf_exempt",
    "csv_response",
    "current_payer",
    "current_user",
    "filters",
    "forget_old_submissions",
    "guard_faces",
    "is_repeat",
    "is_the_office",
    "may",
    "needs",
    "notify",
    "once",
    "open_to_all",
    "page_before",
    "page_request",
    "payers_only",
    "pdf_response",
    "read_money",
    "read_report",
    "redirect_to",
    "refuse_unmarked_views",
    "render_page",
    "require",
    "safe_next",
    "set_cookie",
    "set_up",
    "sign_out_cookie",
    "signed_in_user",
    "token_of",
    "url_with",
    "wants_fragment",
    "words_of",
]
