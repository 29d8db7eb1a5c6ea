"""Whom an invoice is sent to."""

from __future__ import annotations

from portal.kernel.addresses import normal_mobile, split_addresses
from portal.models import BillingAccess, Contact, Customer, Invoice


def billing_contacts(customer: Customer) -> list[Contact]:
    """The active people who may see bills."""
    return [
        contact
        for contact in customer.contacts
        if contact.active and contact.billing_access is not BillingAccess.NONE
    ]


def billing_addresses(invoice: Invoice) -> list[str]:
    """Where the invoice goes."""
    return customer_addresses(invoice.customer)


def customer_addresses(customer: Customer) -> list[str]:
    """Where bills go: contacts with billing access, else the customer's own address."""
    people = [contact.email for contact in billing_contacts(customer) if contact.email]
    fallback = [customer.email] if customer.email else []
    return list(dict.fromkeys(people)) or fallback


def copy_addresses(customer: Customer) -> list[str]:
    """Who gets a copy of every invoice mail; what was kept wrong is left out."""
    try:
        return split_addresses(customer.cc_emails)
    except ValueError:
        return []


def mobile_numbers(customer: Customer) -> list[str]:
    """Numbers of billing contacts that are marked as mobile, as +15550100123."""
    numbers = []
    for contact in billing_contacts(customer):
        if contact.is_mobile:
            try:
                numbers.append(normal_mobile(contact.phone))
            except ValueError:
                continue
    return list(dict.fromkeys(numbers))
