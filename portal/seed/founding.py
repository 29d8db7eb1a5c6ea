"""The rows without which nothing works: company, chart of accounts, terms, payment types."""

from __future__ import annotations

import sqlalchemy as sa

from portal.access import ensure_roles
from portal.db import db
from portal.ledger import account_id_for, ensure_chart
from portal.models import (
    AccountRole,
    Company,
    DueKind,
    PaymentMethod,
    PaymentTerm,
    PaymentType,
    RefundEffect,
    RefundReason,
)

TERMS = [
    ("Due upon receipt", DueKind.DAYS_AFTER, 0),
    ("Net 15", DueKind.DAYS_AFTER, 15),
    ("Net 30", DueKind.DAYS_AFTER, 30),
    ("End of month", DueKind.END_OF_MONTH, 0),
    ("15th of next month", DueKind.DAY_OF_NEXT_MONTH, 15),
]

PAYMENT_TYPES = [
    ("Check", PaymentMethod.CHECK, AccountRole.UNDEPOSITED, False),
    ("Cash", PaymentMethod.CASH, AccountRole.UNDEPOSITED, False),
    ("Card at the desk", PaymentMethod.CARD, AccountRole.UNDEPOSITED, False),
    ("Bank transfer", PaymentMethod.BANK_DEBIT, AccountRole.CHECKING, False),
    ("Other", PaymentMethod.OTHER, AccountRole.UNDEPOSITED, False),
    ("Online card", PaymentMethod.CARD, AccountRole.GATEWAY_CLEARING, True),
    ("Online bank debit", PaymentMethod.BANK_DEBIT, AccountRole.GATEWAY_CLEARING, True),
    ("TEST GATEWAY (no money)", PaymentMethod.OTHER, AccountRole.TEST_CLEARING, True),
    ("Paid before import", PaymentMethod.OTHER, AccountRole.OPENING_BALANCE, True),
    ("Credit of a document", PaymentMethod.OTHER, AccountRole.CUSTOMER_DEPOSITS, True),
]


# servicetitan-rules §8.1; the last one asks whoever gives the money back
REFUND_REASONS = [
    ("Credit balance", RefundEffect.PAYS_OUT_CREDIT),
    ("Overpaid", RefundEffect.PAYS_OUT_CREDIT),
    ("Deposit on incomplete job", RefundEffect.REOPENS_INVOICE),
    ("Wrong amount charged", RefundEffect.REOPENS_INVOICE),
    ("Job cancelled", RefundEffect.REOPENS_INVOICE),
    ("Job not satisfactory", RefundEffect.LOWERS_REVENUE),
    ("Customer complaint", RefundEffect.LOWERS_REVENUE),
    ("Billing error", RefundEffect.LOWERS_REVENUE),
    ("Other", RefundEffect.PAYS_OUT_CREDIT),
]


def found_company(name: str = "My Company") -> None:
    """Make what is missing of the rows every installation needs; idempotent."""
    ensure_chart()
    ensure_roles()
    _ensure_terms()
    _ensure_payment_types()
    _ensure_refund_reasons()
    if db.session.get(Company, 1) is None:
        default = db.session.scalar(
            sa.select(PaymentTerm.id).where(PaymentTerm.name == TERMS[0][0])
        )
        db.session.add(Company(id=1, name=name, default_term_id=default))
    db.session.flush()


def _ensure_terms() -> None:
    if db.session.scalar(sa.select(sa.func.count()).select_from(PaymentTerm)):
        return
    for name, kind, day in TERMS:
        db.session.add(PaymentTerm(name=name, due_kind=kind, due_day=day))
    db.session.flush()


def _ensure_payment_types() -> None:
    """The house's own by name; the desk's only at the start, since people may rename them."""
    known = set(db.session.scalars(sa.select(PaymentType.name)))
    begun = db.session.scalar(sa.select(sa.exists().where(PaymentType.online.is_(False))))
    for name, method, role, online in PAYMENT_TYPES:
        if name not in known and (online or not begun):
            db.session.add(
                PaymentType(
                    name=name,
                    method=method,
                    account_id=account_id_for(role),
                    online=online,
                    refunds=not online,
                )
            )
    db.session.flush()


def _ensure_refund_reasons() -> None:
    """Only at the start, since people may rename them."""
    if db.session.scalar(sa.select(sa.func.count()).select_from(RefundReason)):
        return
    for name, effect in REFUND_REASONS:
        db.session.add(RefundReason(name=name, effect=effect, asks=name == "Other"))
    db.session.flush()
