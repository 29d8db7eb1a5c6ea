"""The company that uses the installation: its row, its day, its ways of writing numbers."""

from portal.company.changing import (
    CompanyWords,
    add_business_unit,
    change_business_unit,
    change_company,
    change_logo,
    words_of_company,
)
from portal.company.currency import speak_in
from portal.company.formats import (
    format_day,
    format_instant,
    format_money,
    format_month,
    format_months,
    format_quantity,
    format_rate,
)
from portal.company.identifiers import (
    checked_bic,
    checked_country,
    checked_iban,
    checked_vat_id,
    countries,
)
from portal.company.profile import business_day, business_units, company, today

__all__ = [
    "CompanyWords",
    "add_business_unit",
    "business_day",
    "business_units",
    "change_business_unit",
    "change_company",
    "change_logo",
    "checked_bic",
    "checked_country",
    "checked_iban",
    "checked_vat_id",
    "company",
    "countries",
    "format_day",
    "format_instant",
    "format_money",
    "format_month",
    "format_months",
    "format_quantity",
    "format_rate",
    "speak_in",
    "today",
    "words_of_company",
]
