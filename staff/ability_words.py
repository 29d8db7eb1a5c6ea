"""What each ability means, in words, in the groups in which a role's page shows them."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as later

from portal.access import Ability

A = Ability
GROUPS: list[tuple[Any, list[tuple[Ability, Any]]]] = [
    (later("Own desk"), [
        (A.SEE_HOME, later("See the figures of the day.")),
        (A.OWN_ACCOUNT, later("Change one's own password and second factor; sign out browsers.")),
    ]),
    (later("Customers and price book"), [
        (A.VIEW_CUSTOMERS, later("Look at customers, their contacts and locations; search.")),
        (A.EDIT_CUSTOMERS, later("Add and change customers, contacts and locations.")),
        (A.VIEW_PRICE_BOOK, later("Look up items and prices.")),
        (A.EDIT_PRICE_BOOK, later("Change items, prices and prices agreed with customers.")),
    ]),
    (later("Jobs"), [
        (A.VIEW_JOBS, later("Look at jobs.")),
        (A.EDIT_JOBS, later("Book, log and complete jobs.")),
    ]),
    (later("Invoices"), [
        (A.VIEW_INVOICES, later("Look at invoices and their documents.")),
        (A.EDIT_INVOICES, later("Start, change and review invoices that are Pending.")),
        (A.ASSIGN_INVOICES, later("Give an invoice to somebody to review.")),
        (A.APPROVE_INVOICES, later("Release or reject what waits for approval.")),
        (A.SEND_INVOICES, later("Send invoices and hand out links to pay.")),
        (A.BATCH_INVOICES, later("Collect invoices and payments in batches.")),
        (A.POST_INVOICES, later("Make invoices final; let somebody else take over what is owed.")),
        (A.UNPOST_INVOICES, later("Take what is final off the books again, with a reason.")),
        (A.CORRECT_INVOICES, later("Start adjustments and credit notes; charge interest.")),
        (A.WRITE_OFF, later("Give up what a customer will not pay, against Bad Debt.")),
        (A.SELL_AT_COUNTER, later("Sell at the counter: invoice, payment and receipt at once.")),
    ]),
    (later("Payments and receivables"), [
        (A.VIEW_PAYMENTS, later("Look at payments and their receipts.")),
        (A.TAKE_PAYMENTS, later("Record money received and apply it to invoices.")),
        (A.UNAPPLY_PAYMENTS, later("Take money off an invoice; it becomes credit.")),
        (A.UNAPPLY_EXPORTED, later("The same for payments the accounting system already has.")),
        (A.POST_PAYMENTS, later("Make payments final.")),
        (A.REFUND_PAYMENTS, later("Give money back.")),
        (A.RETURN_PAYMENTS, later("Record bounced checks and payments entered in error.")),
        (A.VIEW_RECEIVABLES, later("See who owes how much since when.")),
        (A.SEND_STATEMENTS, later("See and send statements, one or many.")),
        (A.WORK_COLLECTIONS, later("Chase overdue money: call, note, promise, dispute, snooze.")),
        (A.MANAGE_COLLECTIONS, later("See every account; set policies, collectors and limits.")),
    ]),
    (later("Accounting"), [
        (A.VIEW_LEDGER, later("Look at the journal, accounts and trial balance.")),
        (A.CLOSE_PERIODS, later("Close months, so that nothing in them changes any more.")),
        (A.OPEN_PERIODS, later("Open a closed month again.")),
    ]),
    (later("Behind the scenes"), [
        (A.VIEW_OUTBOX, later("Read every message that left or waits.")),
        (A.APPROVE_REFUNDS, later("Release or decline refunds above the limit.")),
        (A.CHARGE_METHODS, later("Charge a saved card or bank account of a customer.")),
        (A.BULK_CHARGE, later("Charge the saved methods of many customers at once.")),
        (A.PLAN_PAYMENTS, later("Propose, re-age and end payment plans.")),
        (A.ANSWER_DISPUTES, later("Answer the banks of payers who dispute a payment.")),
        (A.RECONCILE, later("Match payouts and settle differences with the card processor.")),
        (A.RESOLVE_ATTEMPTS, later("Look after online payments that got stuck.")),
        (A.IMPORT, later("Bring in customers, invoices and payments from files.")),
    ]),
    (later("Company"), [
        (A.EDIT_SETTINGS, later("Change the company, taxes, terms, payment types and labels.")),
        (A.MANAGE_PEOPLE, later("Add people and change what their roles may do.")),
    ]),
]  # fmt: skip
