"""Every entry of the left navigation, and which entry each other screen belongs to."""

from __future__ import annotations

from flask_babel import lazy_gettext as later

from portal.access import Ability

A = Ability
GROUPS: list[tuple[str, list[tuple[str, str, str, Ability]]]] = [
    ("", [
        (later("Today"), "home", "staff.home.show", A.SEE_HOME),
        (later("Jobs"), "tool", "staff.jobs.index", A.VIEW_JOBS),
        (later("Counter"), "cash-register", "staff.counter.show", A.SELL_AT_COUNTER),
        (later("Customers"), "users", "staff.customers.index", A.VIEW_CUSTOMERS),
    ]),
    (later("Invoices"), [
        (later("Invoices"), "file-invoice", "staff.invoices.index", A.VIEW_INVOICES),
        (later("Review"), "eye-check", "staff.review.index", A.VIEW_INVOICES),
        (later("Batches"), "stack-2", "staff.batches.index", A.VIEW_INVOICES),
        (later("Sendings"), "mail-forward", "staff.sendings.index", A.SEND_INVOICES),
    ]),
    (later("Money in"), [
        (later("Payments"), "cash", "staff.payments.index", A.VIEW_PAYMENTS),
        (later("Planned charges"), "calendar-dollar", "staff.planned_charges.index",
         A.VIEW_PAYMENTS),
        (later("Payment plans"), "calendar-check", "staff.payment_plans.index", A.VIEW_PAYMENTS),
        (later("Payment methods"), "cards", "staff.method_watch.index", A.CHARGE_METHODS),
    ]),
    (later("Money back"), [
        (later("Refunds waiting"), "cash-banknote", "staff.refund_requests.index", A.VIEW_PAYMENTS),
        (later("Disputes"), "alert-octagon", "staff.disputes.index", A.VIEW_PAYMENTS),
    ]),
    (later("Receivables"), [
        (later("Receivables"), "report-money", "staff.receivables.index", A.VIEW_RECEIVABLES),
        (later("Collections"), "phone-outgoing", "staff.collections.index", A.WORK_COLLECTIONS),
        (later("Statements"), "file-dollar", "staff.statements.index", A.SEND_STATEMENTS),
        (later("Late fees"), "percentage", "staff.late_fees.index", A.CORRECT_INVOICES),
        (later("Payment risk"), "gauge", "staff.risk.index", A.VIEW_RECEIVABLES),
        (later("Figures"), "chart-bar", "staff.figures.index", A.VIEW_FIGURES),
    ]),
    (later("Accounting"), [
        (later("Journal"), "notebook", "staff.ledger.journal", A.VIEW_LEDGER),
        (later("Trial balance"), "scale", "staff.ledger.balance", A.VIEW_LEDGER),
        (later("Periods"), "lock", "staff.periods.index", A.VIEW_LEDGER),
        (later("Accounts"), "list-numbers", "staff.accounts.index", A.VIEW_LEDGER),
        (later("Online payments"), "credit-card", "staff.attempts.index", A.RESOLVE_ATTEMPTS),
    ]),
]  # fmt: skip
# Seldom needed: folded until one of their screens is shown.
FOLDED: list[tuple[str, list[tuple[str, str, str, Ability]]]] = [
    (later("Tools"), [
        (later("Price book"), "book", "staff.pricebook.index", A.VIEW_PRICE_BOOK),
        (later("Outbox"), "mail", "staff.outbox.index", A.VIEW_OUTBOX),
        (later("Import"), "upload", "staff.imports.index", A.IMPORT),
    ]),
    (later("Settings"), [
        (later("Company"), "building", "staff.settings.show", A.EDIT_SETTINGS),
        (later("Documents"), "file-text", "staff.document_settings.show", A.EDIT_SETTINGS),
        (later("Tax zones"), "receipt-tax", "staff.taxes.index", A.EDIT_SETTINGS),
        (later("Payment terms"), "calendar-due", "staff.terms.index", A.EDIT_SETTINGS),
        (later("Payment types"), "wallet", "staff.payment_types.index", A.EDIT_SETTINGS),
        (later("Payment collection"), "coins", "staff.collection_settings.show", A.EDIT_SETTINGS),
        (later("Collections policies"), "list-check", "staff.collection_policies.index",
         A.MANAGE_COLLECTIONS),
        (later("Collections rules"), "shield", "staff.collection_limits.show",
         A.MANAGE_COLLECTIONS),
        (later("Refund reasons"), "cash-banknote", "staff.refund_reasons.index", A.EDIT_SETTINGS),
        (later("Batching rules"), "clock-play", "staff.auto_batches.index", A.EDIT_SETTINGS),
        (later("Approval rules"), "gavel", "staff.approval_rules.index", A.EDIT_SETTINGS),
        (later("Message texts"), "message", "staff.message_templates.index", A.EDIT_SETTINGS),
        (later("Sending rules"), "robot", "staff.auto_send_rules.index", A.EDIT_SETTINGS),
        (later("Statements by month"), "calendar-repeat", "staff.statement_settings.show",
         A.EDIT_SETTINGS),
        (later("Labels"), "tags", "staff.labels.index", A.EDIT_SETTINGS),
        (later("People"), "user-cog", "staff.people.index", A.MANAGE_PEOPLE),
        (later("Roles"), "shield-check", "staff.roles.index", A.MANAGE_PEOPLE),
    ]),
]  # fmt: skip

PART_OF = {  # screens that belong to another one's entry
    "staff.posting": "staff.invoices",
    "staff.aging": "staff.receivables",
    "staff.collection_actions": "staff.collections",
    "staff.autopay": "staff.customers",
    "staff.bulk_charges": "staff.planned_charges",
    "staff.corrections": "staff.invoices",
    "staff.sending": "staff.invoices",
    "staff.invoice_lines": "staff.invoices",
    "staff.payment_corrections": "staff.payments",
    "staff.refunds": "staff.payments",
    "staff.payouts": "staff.attempts",
    "staff.reconciling": "staff.attempts",
    "staff.payments_online": "staff.payments",
    "staff.interest": "staff.invoices",
    "staff.late_fee_rules": "staff.terms",
    "staff.financing": "staff.invoices",
    "staff.batch_filling": "staff.batches",
    "staff.batch_posting": "staff.batches",
    "staff.print_runs": "staff.batches",
    "staff.invoice_review": "staff.invoices",
    "staff.plan_offers": "staff.payment_plans",
    "staff.statement_runs": "staff.statements",
    "staff.statement_letters": "staff.statements",
    "staff.photos": "staff.jobs",
    "staff.contacts": "staff.customers",
    "staff.saved_methods": "staff.customers",
    "staff.charging": "staff.invoices",
    "staff.customer_account": "staff.customers",
    "staff.customer_timeline": "staff.customers",
    "staff.locations": "staff.customers",
    "staff.customer_prices": "staff.customers",
}
