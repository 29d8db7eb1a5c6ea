"""The customer's few links, and which of them is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request, url_for
from flask_babel import lazy_gettext as later

from customer.mine import may_ask_for_plan
from portal.access import Payer
from portal.invoices import customer_open_invoices
from portal.payment_plans import plans_of
from portal.web import current_payer

PLANS = "customer.plans.index"
ENTRIES = [
    (later("Home"), "customer.home.show"),
    (later("Invoices"), "customer.invoices.index"),
    (later("Payments"), "customer.payments.index"),
    (later("Statements"), "customer.statements.index"),
    (later("Plans"), PLANS),
    (later("Account"), "customer.account.show"),
]
PART_OF = {  # screens that belong to another one's entry
    "customer.autopay": "customer.account",
    "customer.methods": "customer.account",
    "customer.sign_in": "customer.account",
    "customer.paying": "customer.invoices",
    "customer.paying_several": "customer.home",
    "customer.plan_wishes": "customer.plans",
}


@dataclass(frozen=True)
class CustomerLink:
    title: str
    url: str
    is_here: bool


def customer_links() -> Sequence[CustomerLink]:
    """Nothing for a guest; plans only for whom there are any, or who may ask for one."""
    payer = current_payer()
    if payer is None:
        return []
    screen = (request.endpoint or "").rpartition(".")[0]
    here = PART_OF.get(screen, screen)
    return [
        CustomerLink(title, url_for(endpoint), endpoint.rpartition(".")[0] == here)
        for title, endpoint in ENTRIES
        if endpoint != PLANS or here == "customer.plans" or _has_plans(payer)
    ]


def _has_plans(payer: Payer) -> bool:
    ids = payer.customer_ids
    return bool(plans_of(ids, limit=1)) or may_ask_for_plan(customer_open_invoices(ids))
