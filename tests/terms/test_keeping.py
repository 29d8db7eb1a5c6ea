from dataclasses import replace

import pytest

from portal.audit import trail_of
from portal.company import company
from portal.db import PageRequest, db
from portal.kernel.errors import Conflict, DomainError, InvalidFields
from portal.kernel.numbers import Rate
from portal.models import DueKind
from portal.terms import (
    TermWords,
    active_terms,
    add_term,
    change_term,
    find_terms,
    is_in_use,
    make_default,
)

NET_10 = TermWords("Net 10", DueKind.DAYS_AFTER, 10)


def added(words=NET_10):
    term = add_term(words)
    db.session.flush()
    return term


def save(term, words, version=None):
    change_term(term, words, version=version or term.version)
    db.session.flush()


def test_an_unused_term_may_change_its_rule(build):
    term = added()

    save(term, replace(NET_10, due_day=20))

    assert term.due_date(build.today).day == 22
    assert trail_of(term)[0].changes == {"due_day": ["10", "20"]}


@pytest.mark.parametrize("used_by", ["customer", "invoice"])
def test_a_used_term_keeps_its_rule_and_may_change_its_name(build, used_by):
    term = added()
    if used_by == "customer":
        build.customer(term_id=term.id)
    else:
        build.invoice("5", term="Net 10")

    assert is_in_use(term)
    for changed in (
        {"due_day": 20}, {"due_kind": DueKind.END_OF_MONTH}, {"discount_rate": Rate.percent(2)},
        {"discount_days": 5},
    ):  # fmt: skip
        with pytest.raises(DomainError, match="already used by customers or invoices"):
            save(term, replace(NET_10, **changed))
    save(term, replace(NET_10, name="Ten days", active=False))
    assert (term.name, term.active) == ("Ten days", False)


def test_the_default_cannot_be_deactivated_until_another_is(build):
    term = added()
    make_default(term)

    with pytest.raises(DomainError, match="default term"):
        save(term, replace(NET_10, active=False))

    make_default(build.term("Net 30"))
    save(term, replace(NET_10, active=False))
    assert term not in active_terms()


def test_a_deactivated_term_cannot_become_the_default(build):
    before = company().default_term_id
    with pytest.raises(DomainError, match="deactivated term"):
        make_default(added(replace(NET_10, active=False)))
    assert company().default_term_id == before


def test_invoices_take_the_customers_term_or_the_companys(build):
    term = added()
    mine, default = build.customer(term_id=term.id), build.customer()

    assert build.invoice("5", customer=mine).term is term
    assert build.invoice("5", customer=default).term.name == "Due upon receipt"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (replace(NET_10, name=" "), "Give the term a name"),
        (replace(NET_10, name="Net 30"), "already has this name"),
        (replace(NET_10, due_day=366), "from 0 to 365"),
        (replace(NET_10, due_day=-1), "from 0 to 365"),
        (replace(NET_10, due_kind=DueKind.DAY_OF_THIS_MONTH, due_day=0), "from 1 to 31"),
        (replace(NET_10, due_kind=DueKind.DAY_OF_NEXT_MONTH, due_day=32), "from 1 to 31"),
        (replace(NET_10, discount_days=-1), "days of the discount"),
    ],
)
def test_a_wrong_term_is_refused_in_words(build, words, sentence):
    with pytest.raises(InvalidFields, match=sentence):
        add_term(words)


def test_an_old_version_is_refused(build):
    term = added()
    seen = term.version
    save(term, replace(NET_10, name="Ten days"))

    with pytest.raises(Conflict, match="Somebody else saved"):
        save(term, NET_10, version=seen)


def test_terms_are_found_by_part_of_their_name(build):
    assert {one.name for one in find_terms("net", PageRequest()).rows} == {"Net 15", "Net 30"}
