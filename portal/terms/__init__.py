"""Payment terms: add, change while unused, choose the default."""

from portal.terms.keeping import (
    TermWords,
    active_terms,
    add_term,
    change_term,
    due_on_receipt,
    find_terms,
    get_term,
    is_in_use,
    make_default,
    terms_were_looked_after,
)

__all__ = [
    "TermWords",
    "active_terms",
    "add_term",
    "change_term",
    "due_on_receipt",
    "find_terms",
    "get_term",
    "is_in_use",
    "make_default",
    "terms_were_looked_after",
]
