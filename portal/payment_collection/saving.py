"""Saving a payment method: consent and visit are persisted, then the gateway's page is opened."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask import current_app

from portal.company import company
from portal.db import db, in_transaction, insert_once, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import DomainError, NotFound, OutsideFailure
from portal.models import LIVE_SETUPS, SETUP, GatewayCustomer, MethodSetup, SetupState
from portal.payment_collection.checkout import FIRST_CHECK
from portal.payment_collection.consents import ConsentGiven, keep_consent
from portal.payment_collection.gateway import (
    PayerOrder,
    SetupOrder,
    gateway,
)
from portal.payment_collection.retries import KEY_LIFETIME
from portal.payment_collection.setups import (
    count_look,
    end_setup,
    is_foreign_setup,
    lost_track_of_setup,
    settle_setup,
)
from portal.settings import Settings


@dataclass(frozen=True)
class SetupWanted:
    """Who saves a method under which consent; `return_path` gets the setup's id appended."""

    consent: ConsentGiven
    return_path: str
    email: str = ""
    make_primary: bool = False
    with_autopay: bool = False


def start_setup(wanted: SetupWanted) -> str:
    """The address of the gateway's page that saves the method.

    Runs its own transactions, because no gateway call happens inside one. Raises DomainError
    when the gateway cannot be reached; nothing was saved then.
    """
    gateway()
    return _open(in_transaction(lambda: _persist(wanted)))


def recheck_setup(setup_id: int) -> SetupState:
    """One look of the janitor; a page we never heard of is asked for again with the same key."""
    setup = db.session.get(MethodSetup, setup_id, populate_existing=True)
    if setup is None:
        raise NotFound("Nobody saves a payment method here.")
    never_opened = setup.session_ref is None and setup.state in LIVE_SETUPS
    too_old = clock.now() - setup.created_at > KEY_LIFETIME
    foreign = is_foreign_setup(setup)
    db.session.rollback()
    if never_opened and (too_old or foreign):
        return in_transaction(lambda: end_setup(setup_id, "expire", ""))
    in_transaction(lambda: count_look(setup_id))
    if never_opened:
        try:
            _open(setup_id)
        except DomainError:
            db.session.rollback()
    return settle_setup(setup_id)


def _persist(wanted: SetupWanted) -> int:
    settings: Settings = current_app.config["SETTINGS"]
    public_id = secrets.token_urlsafe(24)
    setup = MethodSetup(
        public_id=public_id,
        customer_id=wanted.consent.customer.id,
        consent_id=keep_consent(wanted.consent).id,
        gateway=gateway().name,
        livemode=gateway().livemode,
        return_url=f"{settings.base_url}{wanted.return_path}{public_id}",
        email=wanted.email,
        language=wanted.consent.language,
        started_by=wanted.consent.given_by,
        make_primary=wanted.make_primary,
        with_autopay=wanted.with_autopay,
        next_check_at=clock.now() + FIRST_CHECK,
    )
    db.session.add(setup)
    db.session.flush()
    return setup.id


def _open(setup_id: int) -> str:
    with reading():
        setup = db.session.get_one(MethodSetup, setup_id, populate_existing=True)
        payer = PayerOrder(setup.public_id, setup.customer.name, setup.email)
        known, order = _known_as(setup), _order_for(setup, "")
        db.session.rollback()
    try:
        if not known:
            ref = gateway().know_payer(payer)
            known = in_transaction(lambda: _remember_payer(setup_id, ref))
        opened = gateway().open_setup(_with_payer(order, known))
    except OutsideFailure as error:
        failure = error
        in_transaction(lambda: _not_opened(setup_id, failure))
        raise DomainError(
            "The page could not be opened. Nothing was saved. Try again in a minute."
        ) from failure
    in_transaction(lambda: _mark_opened(setup_id, known, opened.session_ref, opened.url,
                                        opened.expires_at))  # fmt: skip
    return opened.url


def _order_for(setup: MethodSetup, customer_ref: str) -> SetupOrder:
    return SetupOrder(
        reference=setup.public_id,
        customer_ref=customer_ref,
        currency=company().currency,
        return_url=setup.return_url,
        locale=setup.language,
    )


def _with_payer(order: SetupOrder, customer_ref: str) -> SetupOrder:
    return SetupOrder(order.reference, customer_ref, order.currency, order.return_url, order.locale)


def _known_as(setup: MethodSetup) -> str:
    """What the gateway calls this customer: the same for every repetition of a visit."""
    if setup.customer_ref:
        return setup.customer_ref
    return (
        db.session.scalar(_payer_row(setup).with_only_columns(GatewayCustomer.customer_ref)) or ""
    )


def _payer_row(setup: MethodSetup) -> sa.Select[GatewayCustomer]:
    return sa.select(GatewayCustomer).where(
        GatewayCustomer.customer_id == setup.customer_id,
        GatewayCustomer.gateway == setup.gateway,
        GatewayCustomer.livemode == setup.livemode,
    )


def _remember_payer(setup_id: int, customer_ref: str) -> str:
    """Two visits at once may both introduce the customer: the first name is kept."""
    setup = db.session.get_one(MethodSetup, setup_id, populate_existing=True)
    row = GatewayCustomer(
        customer_id=setup.customer_id,
        gateway=setup.gateway,
        livemode=setup.livemode,
        customer_ref=customer_ref,
    )
    if insert_once(row):
        return customer_ref
    return db.session.scalars(_payer_row(setup)).one().customer_ref


def _mark_opened(
    setup_id: int, customer_ref: str, session_ref: str, url: str, expires_at: datetime
) -> None:
    setup = lock_rows(MethodSetup, [setup_id])[0]
    setup.customer_ref, setup.session_ref = customer_ref, session_ref
    setup.checkout_url, setup.expires_at = url, expires_at
    if SETUP.allows(setup.state, "open"):
        setup.state = SetupState.OPEN


def _not_opened(setup_id: int, failure: OutsideFailure) -> None:
    if not failure.permanent:
        lost_track_of_setup(setup_id, failure)
        return
    setup = db.session.get_one(MethodSetup, setup_id)
    if failure.missing:  # the gateway forgot this customer: they are introduced anew next time
        db.session.execute(
            sa.delete(GatewayCustomer).where(
                GatewayCustomer.customer_id == setup.customer_id,
                GatewayCustomer.gateway == setup.gateway,
                GatewayCustomer.livemode == setup.livemode,
            )
        )
    end_setup(setup_id, "fail", str(failure))
