"""The session, the declarative base, column types, claims, locks and migrations."""

from portal.db.base import Base, Versioned, db
from portal.db.claims import bump, claim, insert_once, lock_rows
from portal.db.engine import (
    in_transaction,
    is_reading,
    note_in_passing,
    own_transaction,
    reading,
    set_up_engine,
    writing,
)
from portal.db.named_locks import lock_alone, lock_together
from portal.db.paging import Page, PageRequest, paginate
from portal.db.searching import begins, holds, holds_code
from portal.db.taken import is_taken
from portal.db.triggers import install_triggers
from portal.db.types import (
    NO_MONEY,
    Cents,
    QuantityColumn,
    RateColumn,
    UnitPriceColumn,
    UtcDateTime,
    as_money,
    named_enum,
    total_of,
)

__all__ = [
    "NO_MONEY",
    "Base",
    "Cents",
    "Page",
    "PageRequest",
    "QuantityColumn",
    "RateColumn",
    "UnitPriceColumn",
    "UtcDateTime",
    "Versioned",
    "as_money",
    "begins",
    "bump",
    "claim",
    "db",
    "holds",
    "holds_code",
    "in_transaction",
    "insert_once",
    "install_triggers",
    "is_reading",
    "is_taken",
    "lock_alone",
    "lock_rows",
    "lock_together",
    "named_enum",
    "note_in_passing",
    "own_transaction",
    "paginate",
    "reading",
    "set_up_engine",
    "total_of",
    "writing",
]
