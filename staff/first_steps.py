"""What a new company does first; shown on Today until something waits or was paid."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from portal.access import Ability
from portal.company import company
from portal.customers import CustomerFilter, find_customers
from portal.imports import was_anything_imported
from portal.jobs import JobFilter, find_jobs
from portal.models import User
from portal.pricebook import ItemFilter, find_items
from portal.taxes import active_zones
from portal.terms import terms_were_looked_after
from portal.web import PageRequest

ONE = PageRequest(size=1)


@dataclass(frozen=True)
class Step:
    """One thing to set up, where it is done, and what it is good for."""

    title: str
    why: str
    url: str
    needs: Ability
    done: bool = False


def first_steps(user: User) -> list[Step]:
    """The steps this person may take, in the order that saves typing."""
    customers, items = (
        find_customers(CustomerFilter(), ONE).total,
        find_items(ItemFilter(), ONE).total,
    )
    settings, book = Ability.EDIT_SETTINGS, Ability.EDIT_PRICE_BOOK
    steps = [
        Step(_("Company details"), _("Name, address and logo stand on every document."),
             url_for("staff.settings.show"), settings, bool(company().street)),
        Step(_("Payment terms"), _("When an invoice is due unless a customer has another term."),
             url_for("staff.terms.index"), settings, terms_were_looked_after()),
        Step(_("Tax zones"), _("Rates, and the ZIP codes that choose them. No zone, no sales tax."),
             url_for("staff.taxes.index"), settings, bool(active_zones())),
        Step(_("Price book"), _("What you sell; lines and job logs take their price from it."),
             url_for("staff.pricebook.index"), book, items > 0),
        Step(_("Import"), _("Bring customers, items, open invoices and payments in from a file."),
             url_for("staff.imports.index"), Ability.IMPORT, was_anything_imported()),
        Step(_("First customer"), _("Who pays, with the locations where you work."),
             url_for("staff.customers.new"), Ability.EDIT_CUSTOMERS, customers > 0),
        Step(_("First job"), _("Booking a job begins its invoice by itself."),
             url_for("staff.jobs.new"), Ability.EDIT_JOBS, find_jobs(JobFilter(), ONE).total > 0),
    ]  # fmt: skip
    return [step for step in steps if step.needs in user.role.abilities]
