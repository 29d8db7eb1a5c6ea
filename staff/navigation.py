"""The left navigation by job, not by table, and the notices nobody may overlook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from portal.access import Ability
from portal.payment_collection import gateway, has_gateway
from portal.reports import waiting_counts
from portal.settings import Settings
from portal.web import current_user

A = Ability
GROUPS: list[tuple[str, list[tuple[str, str, str, Ability]]]] = [
    ("", [
        (later("Today"), "home", "staff.home.show", A.SEE_HOME),
        (later("Jobs"), "tool", "staff.jobs.index", A.VIEW_JOBS),
        (later("Counter"), "cash-register", "staff.counter.show", A.SELL_AT_COUNTER),
        (later("Invoices"), "file-invoice", "staff.invoices.index", A.VIEW_INVOICES),
        (later("Review"), "eye-check", "staff.review.index", A.VIEW_INVOICES),
        (later("Batches"), "stack-2", "staff.batches.index", A.VIEW_INVOICES),
        (later("Payments"), "cash", "staff.payments.index", A.VIEW_PAYMENTS),
        (later("Planned charges"), "calendar-dollar", "staff.planned_charges.index",
         A.VIEW_PAYMENTS),
        (later("Payment plans"), "calendar-check", "staff.payment_plans.index", A.VIEW_PAYMENTS),
        (later("Receivables"), "report-money", "staff.receivables.index", A.VIEW_RECEIVABLES),
        (later("Customers"), "users", "staff.customers.index", A.VIEW_CUSTOMERS),
        (later("Price book"), "book", "staff.pricebook.index", A.VIEW_PRICE_BOOK),
    ]),
    (later("Accounting"), [
        (later("Journal"), "notebook", "staff.ledger.journal", A.VIEW_LEDGER),
        (later("Trial balance"), "scale", "staff.ledger.balance", A.VIEW_LEDGER),
        (later("Periods"), "lock", "staff.periods.index", A.VIEW_LEDGER),
        (later("Accounts"), "list-numbers", "staff.accounts.index", A.VIEW_LEDGER),
    ]),
    (later("Behind the scenes"), [
        (later("Online payments"), "credit-card", "staff.attempts.index", A.RESOLVE_ATTEMPTS),
        (later("Refunds waiting"), "cash-banknote", "staff.refund_requests.index", A.VIEW_PAYMENTS),
        (later("Disputes"), "alert-octagon", "staff.disputes.index", A.VIEW_PAYMENTS),
        (later("Outbox"), "mail", "staff.outbox.index", A.VIEW_OUTBOX),
        (later("Sendings"), "mail-forward", "staff.sendings.index", A.SEND_INVOICES),
        (later("Import"), "upload", "staff.imports.index", A.IMPORT),
    ]),
    (later("Settings"), [
        (later("Company"), "building", "staff.settings.show", A.EDIT_SETTINGS),
        (later("Documents"), "file-text", "staff.document_settings.show", A.EDIT_SETTINGS),
        (later("Tax zones"), "receipt-tax", "staff.taxes.index", A.EDIT_SETTINGS),
        (later("Payment terms"), "calendar-due", "staff.terms.index", A.EDIT_SETTINGS),
        (later("Payment types"), "wallet", "staff.payment_types.index", A.EDIT_SETTINGS),
        (later("Payment collection"), "coins", "staff.collection_settings.show", A.EDIT_SETTINGS),
        (later("Refund reasons"), "cash-banknote", "staff.refund_reasons.index", A.EDIT_SETTINGS),
        (later("Batching rules"), "clock-play", "staff.auto_batches.index", A.EDIT_SETTINGS),
        (later("Approval rules"), "gavel", "staff.approval_rules.index", A.EDIT_SETTINGS),
        (later("Message texts"), "message", "staff.message_templates.index", A.EDIT_SETTINGS),
        (later("Sending rules"), "robot", "staff.auto_send_rules.index", A.EDIT_SETTINGS),
        (later("Labels"), "tags", "staff.labels.index", A.EDIT_SETTINGS),
        (later("People"), "user-cog", "staff.people.index", A.MANAGE_PEOPLE),
        (later("Roles"), "shield-check", "staff.roles.index", A.MANAGE_PEOPLE),
    ]),
]  # fmt: skip


PART_OF = {  # screens that belong to another one's entry
    "staff.posting": "staff.invoices",
    "staff.autopay": "staff.customers",
    "staff.bulk_charges": "staff.receivables",
    "staff.corrections": "staff.invoices",
    "staff.sending": "staff.invoices",
    "staff.invoice_lines": "staff.invoices",
    "staff.payment_corrections": "staff.payments",
    "staff.refunds": "staff.payments",
    "staff.payouts": "staff.attempts",
    "staff.reconciling": "staff.attempts",
    "staff.payments_online": "staff.payments",
    "staff.interest": "staff.invoices",
    "staff.financing": "staff.invoices",
    "staff.batch_filling": "staff.batches",
    "staff.batch_posting": "staff.batches",
    "staff.print_runs": "staff.batches",
    "staff.invoice_review": "staff.invoices",
    "staff.plan_offers": "staff.payment_plans",
    "staff.photos": "staff.jobs",
    "staff.contacts": "staff.customers",
    "staff.saved_methods": "staff.customers",
    "staff.charging": "staff.invoices",
    "staff.customer_timeline": "staff.customers",
    "staff.locations": "staff.customers",
    "staff.customer_prices": "staff.customers",
}


@dataclass(frozen=True)
class NavEntry:
    title: str
    icon: str
    url: str
    is_here: bool
    count: int


@dataclass(frozen=True)
class NavGroup:
    title: str
    entries: Sequence[NavEntry]


@dataclass(frozen=True)
class Notice:
    """A bar across the page; `public` ones customers see too."""

    kind: str
    sentence: str
    public: bool = False


def staff_nav() -> list[NavGroup]:
    """The groups this person may see, with counts beside what waits."""
    user = current_user()
    if user is None:
        return []
    counts = waiting_counts()
    here = _here([endpoint for _, entries in GROUPS for _, _, endpoint, _ in entries])
    groups = [
        NavGroup(
            title,
            [
                NavEntry(
                    name,
                    icon,
                    url_for(endpoint),
                    endpoint == here,
                    counts.get(endpoint, 0),
                )
                for name, icon, endpoint, ability in entries
                if ability in user.role.abilities
            ],
        )
        for title, entries in GROUPS
    ]
    return [group for group in groups if group.entries]


def _here(endpoints: Sequence[str]) -> str:
    """The entry for this page: its own, else the first one of its section."""
    asked = request.endpoint or ""
    screen = asked.rpartition(".")[0]
    section = PART_OF.get(screen, screen)
    near = [one for one in endpoints if one.rpartition(".")[0] == section]
    return asked if asked in near else next(iter(near), "")


def house_notices() -> list[Notice]:
    """Loud words about an installation that moves no money or sends no mail."""
    settings: Settings = current_app.config["SETTINGS"]
    notices = []
    if has_gateway() and not gateway().livemode:
        notices.append(
            Notice(
                "danger", _("TEST GATEWAY – no money moves, nothing here is a real payment."), True
            )
        )
    if not settings.smtp_url and request.path.startswith("/staff"):
        notices.append(
            Notice(
                "warning", _("No mail server is set up: messages are kept in the outbox, not sent.")
            )
        )
    return notices
