"""Abilities, and the roles an installation begins with (servicetitan-rules §19)."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa

from portal.db import db
from portal.models import Role


class Ability(StrEnum):
    """What a route may ask for."""

    SEE_HOME = "see home"
    VIEW_CUSTOMERS = "view customers"
    EDIT_CUSTOMERS = "edit customers"
    VIEW_JOBS = "view jobs"
    EDIT_JOBS = "edit jobs"
    VIEW_INVOICES = "view invoices"
    EDIT_INVOICES = "edit invoices"
    POST_INVOICES = "post invoices"
    SEND_INVOICES = "send invoices"
    ASSIGN_INVOICES = "assign invoices"
    APPROVE_INVOICES = "approve invoices"
    BATCH_INVOICES = "batch invoices"
    UNPOST_INVOICES = "unpost invoices"
    CORRECT_INVOICES = "correct invoices"
    WRITE_OFF = "write off"
    SELL_AT_COUNTER = "sell at counter"
    VIEW_PAYMENTS = "view payments"
    TAKE_PAYMENTS = "take payments"
    UNAPPLY_PAYMENTS = "unapply payments"
    UNAPPLY_EXPORTED = "unapply exported payments"
    POST_PAYMENTS = "post payments"
    REFUND_PAYMENTS = "refund payments"
    RETURN_PAYMENTS = "return payments"
    APPROVE_REFUNDS = "approve refunds"
    CHARGE_METHODS = "charge saved methods"
    BULK_CHARGE = "bulk charge"
    PLAN_PAYMENTS = "agree payment plans"
    ANSWER_DISPUTES = "answer disputes"
    RECONCILE = "reconcile payouts"
    VIEW_RECEIVABLES = "view receivables"
    SEND_STATEMENTS = "send statements"
    WORK_COLLECTIONS = "work collections"
    MANAGE_COLLECTIONS = "manage collections"
    VIEW_PRICE_BOOK = "view price book"
    EDIT_PRICE_BOOK = "edit price book"
    VIEW_LEDGER = "view ledger"
    CLOSE_PERIODS = "close periods"
    OPEN_PERIODS = "open periods"
    EDIT_SETTINGS = "edit settings"
    MANAGE_PEOPLE = "manage people"
    VIEW_OUTBOX = "view outbox"
    RESOLVE_ATTEMPTS = "resolve payment attempts"
    IMPORT = "import"
    OWN_ACCOUNT = "own account"


ADMINISTRATOR, TECHNICIAN = "Administrator", "Technician"

_A = Ability
_READ = {
    _A.SEE_HOME, _A.VIEW_CUSTOMERS, _A.VIEW_JOBS, _A.VIEW_INVOICES, _A.VIEW_PAYMENTS,
    _A.VIEW_RECEIVABLES, _A.VIEW_PRICE_BOOK, _A.VIEW_LEDGER, _A.OWN_ACCOUNT,
}  # fmt: skip
ROLES: dict[str, set[Ability]] = {
    "Administrator": set(Ability),
    "Accountant": _READ
    | {
        _A.EDIT_CUSTOMERS, _A.EDIT_INVOICES, _A.POST_INVOICES, _A.SEND_INVOICES,
        _A.TAKE_PAYMENTS, _A.UNAPPLY_PAYMENTS, _A.EDIT_PRICE_BOOK, _A.EDIT_SETTINGS,
        _A.CLOSE_PERIODS, _A.VIEW_OUTBOX, _A.RESOLVE_ATTEMPTS, _A.IMPORT,
        _A.ASSIGN_INVOICES, _A.BATCH_INVOICES, _A.UNPOST_INVOICES, _A.CORRECT_INVOICES,
        _A.WRITE_OFF, _A.SELL_AT_COUNTER, _A.POST_PAYMENTS, _A.REFUND_PAYMENTS,
        _A.RETURN_PAYMENTS, _A.CHARGE_METHODS, _A.BULK_CHARGE, _A.PLAN_PAYMENTS,
        _A.ANSWER_DISPUTES, _A.RECONCILE, _A.WORK_COLLECTIONS, _A.MANAGE_COLLECTIONS,
        _A.SEND_STATEMENTS,
    },
    "Office": _READ
    | {
        _A.EDIT_CUSTOMERS, _A.EDIT_JOBS, _A.EDIT_INVOICES, _A.SEND_INVOICES,
        _A.TAKE_PAYMENTS, _A.VIEW_OUTBOX, _A.ASSIGN_INVOICES, _A.BATCH_INVOICES,
        _A.CORRECT_INVOICES, _A.SELL_AT_COUNTER, _A.CHARGE_METHODS, _A.PLAN_PAYMENTS,
        _A.SEND_STATEMENTS,
        _A.WORK_COLLECTIONS,
    },
    "Collector": _READ
    | {
        _A.TAKE_PAYMENTS, _A.SEND_INVOICES, _A.VIEW_OUTBOX, _A.CHARGE_METHODS, _A.PLAN_PAYMENTS,
        _A.SEND_STATEMENTS,
        _A.WORK_COLLECTIONS,
    },
    "Technician": {_A.SEE_HOME, _A.VIEW_JOBS, _A.EDIT_JOBS, _A.VIEW_PRICE_BOOK, _A.OWN_ACCOUNT},
    "Read-only": _READ,
}  # fmt: skip


def ensure_roles() -> None:
    """Make the roles an installation begins with; later only a missing Administrator.

    Idempotent. The others belong to the office from then on: one that was renamed or deleted
    does not come back.
    """
    known = set(db.session.scalars(sa.select(Role.name)))
    for name, abilities in ROLES.items():
        if not known or (name == ADMINISTRATOR and name not in known):
            db.session.add(Role(name=name, abilities=sorted(abilities)))
    db.session.flush()
