"""What else can be done with a final invoice, each with the reason when it cannot."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from portal.access import Ability
from portal.company import today
from portal.invoices import interest_problem
from portal.kernel.money import ZERO
from portal.models import Invoice
from portal.web import may


@dataclass(frozen=True)
class Action:
    """A way on from the record: where it leads, or why it does not."""

    label: str
    icon: str
    address: str
    problem: str | None


def further_actions(invoice: Invoice) -> list[Action]:
    """For an invoice on the books with something owed; empty for who may not correct."""
    if not may(Ability.CORRECT_INVOICES) or not invoice.is_on_the_books or invoice.balance <= ZERO:
        return []
    return [
        Action(
            _("Charge interest …"),
            "percentage",
            url_for("staff.interest.question", invoice_id=invoice.id),
            interest_problem(invoice, on=today()),
        ),
    ]
