"""The office's face: screens for billing clerks, accountants, collectors, managers."""

from __future__ import annotations

from flask import Blueprint, Flask

from staff import (
    account,
    accounts,
    aging,
    approval_rules,
    attempts,
    auto_batches,
    auto_send_rules,
    autopay,
    batch_filling,
    batch_posting,
    batches,
    bulk_charges,
    charging,
    collection_actions,
    collection_limits,
    collection_policies,
    collection_settings,
    collections,
    contacts,
    corrections,
    counter,
    customer_account,
    customer_prices,
    customer_timeline,
    customers,
    disputes,
    document_settings,
    figures,
    financing,
    home,
    imports,
    interest,
    invoice_lines,
    invoice_review,
    invoices,
    jobs,
    labels,
    late_fee_rules,
    late_fees,
    ledger,
    locations,
    message_templates,
    method_watch,
    navigation,
    outbox,
    payment_corrections,
    payment_plans,
    payment_types,
    payments,
    payments_online,
    payouts,
    people,
    periods,
    photos,
    plan_offers,
    planned_charges,
    posting,
    pricebook,
    print_runs,
    receivables,
    reconciling,
    refund_reasons,
    refund_requests,
    refunds,
    review,
    review_card,
    risk,
    roles,
    saved_methods,
    search,
    sending,
    sendings,
    settings,
    sign_in,
    statement_letters,
    statement_runs,
    statement_settings,
    statements,
    style_guide,
    taxes,
    terms,
    timeline,
)

SCREENS = (
    account, accounts, aging, approval_rules, attempts, auto_batches, auto_send_rules, autopay,
    batch_filling, batch_posting, batches, bulk_charges, charging, collection_actions,
    collection_limits, collection_policies, collection_settings, collections, contacts,
    corrections, counter, customer_account, customer_prices, customer_timeline, customers,
    disputes, document_settings, figures, financing, home, imports, interest, invoice_lines,
    invoice_review, invoices, jobs, labels, late_fee_rules, late_fees, ledger, locations,
    message_templates, method_watch, outbox, payment_corrections, payment_plans, payment_types,
    payments, payments_online, payouts, people, periods, photos, plan_offers, planned_charges,
    posting, pricebook, print_runs, receivables, reconciling, refund_reasons, refund_requests,
    refunds, review, risk, roles, saved_methods, search, sending, sendings, settings, sign_in,
    statement_letters, statement_runs, statement_settings, statements, style_guide, taxes,
    terms,
)  # fmt: skip


def face(app: Flask) -> None:
    """Register every screen under /staff."""
    staff = Blueprint("staff", __name__, url_prefix="/staff")
    for screen in SCREENS:
        staff.register_blueprint(screen.bp)
    staff.url_defaults(review_card.keep_queue)
    app.register_blueprint(staff)
    app.jinja_env.globals.update(
        staff_nav=navigation.staff_nav,
        house_notices=navigation.house_notices,
    )
    app.jinja_env.filters.update(
        told=timeline.told, change_words=timeline.change_words, actor_words=timeline.actor_words
    )
