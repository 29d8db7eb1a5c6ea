"""The hourly turn of collections, and what the house does when something happens to the money."""

from __future__ import annotations

import logging
from collections.abc import Collection

import sqlalchemy as sa

from portal.company import today
from portal.db import db, in_transaction, reading
from portal.dunning.cases import IS_LIVE, lead_time, refresh_cases
from portal.dunning.open_items import customers_with_due
from portal.dunning.policies import ensure_policy, policies
from portal.dunning.promises import decide_promises, decide_promises_of
from portal.invoices import InvoiceChanged
from portal.models import DunningCase, PromiseState, PromiseToPay
from portal.payment_collection import PaymentCameBack, PaymentOnItsWay
from portal.payments import PaymentReceived
from portal.tasks import wake

CHUNK = 25  # customers per transaction: SQLite's other writers wait for one chunk at most
log = logging.getLogger("fieldledger.dunning")


def run_collections() -> None:
    """Decide promises, then open, refresh and close cases; a chunk that fails is logged.

    Idempotent: a second turn in the same hour finds nothing to do.
    """
    db.session.rollback()
    in_transaction(ensure_policy)
    decide_promises()
    with reading():
        due = set(customers_with_due(today() + lead_time(policies())))
        live = set(db.session.scalars(sa.select(DunningCase.customer_id).where(IS_LIVE)))
        db.session.rollback()
    ids = sorted(due | live)
    for start in range(0, len(ids), CHUNK):
        _refresh_some(ids[start : start + CHUNK])


def run_now() -> None:
    """Ask the worker for the hourly turn at once."""
    wake("collections_turn", 0)


def look_at_customer(customer_id: int) -> None:
    """Something happened: decide one customer's promises, refresh their case; idempotent."""

    def look() -> None:
        decide_promises_of(customer_id)
        refresh_cases([customer_id])

    in_transaction(look)


def note_change(event: InvoiceChanged) -> None:
    """What is owed changed: look at the case at once, where there is one."""
    look_soon([event.invoice.customer_id])


def note_payment(event: PaymentReceived) -> None:
    look_soon([event.payment.customer_id])


def note_on_its_way(event: PaymentOnItsWay | PaymentCameBack) -> None:
    """A bank debit is on its way, or came back."""
    look_soon([event.attempt.customer_id])


def look_soon(customer_ids: Collection[int]) -> None:
    """Ask the worker to look at those of these customers who are chased or promised to pay.

    Nothing is lost when the worker is not told: every reminder asks again before it leaves, and
    the hourly turn finds the rest.
    """
    ids = set(customer_ids)
    chased = sa.select(DunningCase.customer_id).where(IS_LIVE, DunningCase.customer_id.in_(ids))
    promised = sa.select(PromiseToPay.customer_id).where(
        PromiseToPay.customer_id.in_(ids), PromiseToPay.state == PromiseState.OPEN
    )
    for customer_id in db.session.scalars(sa.union(chased, promised)):
        wake("dunning_customer", customer_id)


def _refresh_some(ids: Collection[int]) -> None:
    try:
        in_transaction(lambda: refresh_cases(ids))
    except Exception:
        log.exception("cases of customers %s to %s could not be refreshed", min(ids), max(ids))
        db.session.rollback()
