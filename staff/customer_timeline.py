"""The whole timeline of a customer: what happened to them and to all that is theirs."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, url_for
from flask_babel import gettext as _

from portal.access import Ability
from portal.customers import get_customer
from portal.models import AuditEntry
from portal.reports import customer_timeline, names_of_subjects
from portal.web import may, needs, page_request, render_page

bp = Blueprint("customer_timeline", __name__, url_prefix="/customers/<int:customer_id>/timeline")


@bp.get("")
@needs(Ability.VIEW_CUSTOMERS)
def index(customer_id: int) -> Response:
    page = customer_timeline(customer_id, page_request())
    return render_page(
        "staff/customers/timeline.html", fragment="rows", customer=get_customer(customer_id),
        page=page, links=links_of(page.rows),
    )  # fmt: skip


def links_of(entries: Sequence[AuditEntry]) -> dict[int, tuple[str, str]]:
    """By entry: what it is about, and where that is, empty for who may not look at it."""
    names = names_of_subjects(entries)
    links = {}
    for entry in entries:
        name = names.get((entry.subject_kind, entry.subject_id))
        if name is not None:
            links[entry.id] = _link(entry, name)
    return links


def _link(entry: AuditEntry, name: str) -> tuple[str, str]:
    row_id = entry.subject_id
    match entry.subject_kind:
        case "invoice":
            url = url_for("staff.invoices.show", invoice_id=row_id)
            words, ability = name, Ability.VIEW_INVOICES
        case "payment":
            url = url_for("staff.payments.show", payment_id=row_id)
            words, ability = _("Payment of %(n)s", n=name), Ability.VIEW_PAYMENTS
        case "paymentplan":
            url = url_for("staff.payment_plans.show", plan_id=row_id)
            words, ability = _("Payment plan of %(n)s", n=name), Ability.VIEW_PAYMENTS
        case _other:
            url = url_for("staff.outbox.show", message_id=row_id)
            words, ability = _("Message “%(n)s”", n=name), Ability.VIEW_OUTBOX
    return words, url if may(ability) else ""
