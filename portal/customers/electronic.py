"""What must be known before a customer can get electronic invoices (EN 16931)."""

from __future__ import annotations

from typing import Protocol

from portal.company import company
from portal.models import Company

ADDRESS = (("street", "street"), ("city", "city"), ("postal_code", "ZIP"), ("country", "country"))


class Addressed(Protocol):
    """A customer, or what somebody is about to say about one."""

    @property
    def street(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def postal_code(self) -> str: ...
    @property
    def country(self) -> str: ...


def missing_for_electronic(customer: Addressed, *, taxed: bool) -> dict[str, str]:
    """A sentence for each thing that is missing, by the customer's field it belongs to.

    What the company lacks stands beside the option itself. Without tax a registration number
    does instead of a VAT ID (BR-CO-26, BR-S-02). The buyer's address is BR-10 and BR-11.
    """
    missing = {}
    lacks = _company_lacks(company(), taxed=taxed)
    if lacks:
        missing["electronic_invoice"] = (
            f"The company's {' and '.join(lacks)} {'is' if len(lacks) == 1 else 'are'} missing: "
            "see Settings › Documents."
        )
    for name, words in ADDRESS:
        if not getattr(customer, name):
            missing[name] = f"The customer's {words} is missing."
    return missing


def _company_lacks(row: Company, *, taxed: bool) -> list[str]:
    lacks = []
    if not row.vat_id and (taxed or not row.registration_number):
        lacks.append("VAT ID" if taxed else "VAT ID or registration number")
    lacks += [words for name, words in ADDRESS if not getattr(row, name)]
    return lacks
