"""Customers, their locations and the people to write to."""

from portal.customers.contacts import ContactWords, add_contact, change_contact, contacts_of_email
from portal.customers.electronic import missing_for_electronic
from portal.customers.keeping import CustomerWords, add_customer, change_customer, open_balance
from portal.customers.locations import LocationWords, add_location, change_location
from portal.customers.queries import CustomerFilter, find_customers, get_customer, search_customers
from portal.customers.types import add_customer_type, change_customer_type, customer_types

__all__ = [
    "ContactWords",
    "CustomerFilter",
    "CustomerWords",
    "LocationWords",
    "add_contact",
    "add_customer",
    "add_customer_type",
    "add_location",
    "change_contact",
    "change_customer",
    "change_customer_type",
    "change_location",
    "contacts_of_email",
    "customer_types",
    "find_customers",
    "get_customer",
    "missing_for_electronic",
    "open_balance",
    "search_customers",
]
