"""What else can be done with a final invoice, each with the reason when it cannot."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from portal.access import Ability
from portal.company import today
from portal.invoices import financing_problem, interest_problem
from portal.kernel.money import ZERO
from portal.models import Invoice
from portal.payment_collection import has_gateway, methods_of
from portal.web import may


@dataclass(frozen=True)
class Action:
    """A way on from the record: where it leads, or why it does not."""

    label: str
    icon: str
    address: str
    problem: str | None


def further_actions(invoice: Invoice) -> list[Action]:
    """For an invoice on the books with something owed: what this person may do about it."""
    if not invoice.is_on_the_books or invoice.balance <= ZERO:
        return []
    actions = []
    if may(Ability.CHARGE_METHODS) and has_gateway():
        url = url_for("staff.charging.new", invoice_id=invoice.id)
        problem = None if methods_of(invoice.customer) else _("No payment method was saved yet.")
        actions.append(Action(_("Charge a saved method …"), "credit-card", url, problem))
    if may(Ability.CORRECT_INVOICES):
        url = url_for("staff.interest.question", invoice_id=invoice.id)
        problem = interest_problem(invoice, on=today())
        actions.append(Action(_("Charge interest …"), "percentage", url, problem))
    if may(Ability.POST_INVOICES):
        url = url_for("staff.financing.question", invoice_id=invoice.id)
        problem = financing_problem(invoice)
        actions.append(Action(_("Let somebody else pay …"), "arrows-exchange", url, problem))
    return actions
