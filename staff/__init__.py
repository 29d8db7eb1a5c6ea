"""The office's face: screens for billing clerks, accountants, collectors, managers."""

from __future__ import annotations

from flask import Blueprint, Flask

from staff import (
    account,
    accounts,
    attempts,
    contacts,
    customer_prices,
    customers,
    document_settings,
    home,
    imports,
    invoice_lines,
    invoices,
    jobs,
    labels,
    ledger,
    locations,
    navigation,
    outbox,
    payment_types,
    payments,
    people,
    periods,
    photos,
    posting,
    pricebook,
    receivables,
    search,
    sending,
    settings,
    sign_in,
    style_guide,
    taxes,
    terms,
    timeline,
)

SCREENS = (
    account, accounts, attempts, contacts, customer_prices, customers, document_settings, home,
    imports, invoice_lines, invoices, jobs, labels, ledger, locations, outbox, payment_types,
    payments, people, periods, photos, posting, pricebook, receivables, search, sending, settings,
    sign_in, style_guide, taxes, terms,
)  # fmt: skip


def face(app: Flask) -> None:
    """Register every screen under /staff."""
    staff = Blueprint("staff", __name__, url_prefix="/staff")
    for screen in SCREENS:
        staff.register_blueprint(screen.bp)
    app.register_blueprint(staff)
    app.jinja_env.globals.update(
        staff_nav=navigation.staff_nav, house_notices=navigation.house_notices
    )
    app.jinja_env.filters.update(
        told=timeline.told,
        change_words=timeline.change_words,
        actor_words=timeline.actor_words,
    )
