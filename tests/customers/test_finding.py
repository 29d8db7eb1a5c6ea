import pytest

from portal.customers import (
    ContactWords,
    CustomerFilter,
    LocationWords,
    add_contact,
    add_customer_type,
    add_location,
    find_customers,
    get_customer,
    search_customers,
)
from portal.db import PageRequest, db
from portal.kernel.errors import NotFound
from tests.conftest import count_statements


def found(page=None, **wanted):
    return [
        one.name for one in find_customers(CustomerFilter(**wanted), page or PageRequest()).rows
    ]


@pytest.fixture
def town(build):
    ada = build.customer("Ada Lovelace", email="ada@analytical.example", phone="(555) 010-1234",
                         street="12 Analytical Way")  # fmt: skip
    build.customer("Élodie Dupré", phone="+1.555.020.9999")
    build.customer("100% Clean_Up")
    build.customer("Adam Gone", active=False)
    add_contact(ada, ContactWords("Charles Babbage", "charles@engine.example", "555 777 88 99"))
    add_location(ada, LocationWords(street="7 Difference Rd"))
    db.session.flush()


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("lovel", "Ada Lovelace"),
        ("  LOVELACE ", "Ada Lovelace"),
        ("analytical.example", "Ada Lovelace"),
        ("5550101234", "Ada Lovelace"),
        ("010-12", "Ada Lovelace"),
        ("analytical way", "Ada Lovelace"),
        ("babbage", "Ada Lovelace"),
        ("charles@engine", "Ada Lovelace"),
        ("777-8899", "Ada Lovelace"),
        ("difference", "Ada Lovelace"),
        ("élodie", "Élodie Dupré"),
        ("ÉLODIE", "Élodie Dupré"),
        ("5550209999", "Élodie Dupré"),
        ("0%", "100% Clean_Up"),
        ("clean_", "100% Clean_Up"),
    ],
)
def test_whatever_people_remember_finds_the_customer(town, typed, name):
    assert found(q=typed) == [name]
    assert [one.name for one in search_customers(typed)] == [name]


@pytest.mark.parametrize("typed", ["nobody", "%%", "a_a", "\\", "'; DROP TABLE customers", "\0zzz"])
def test_what_fits_nobody_finds_nobody(town, typed):
    assert found(q=typed) == []


def test_names_that_begin_with_the_text_come_first_and_the_deactivated_stay_away(town, build):
    build.customer("Canada Motors")

    assert [one.name for one in search_customers("ada")] == ["Ada Lovelace", "Canada Motors"]
    assert len(search_customers("a", limit=1)) == 1


def test_filters_narrow_together(build):
    home = add_customer_type("Residential")
    db.session.flush()
    build.customer("Ada", customer_type_id=home.id)
    build.customer("Bob", customer_type_id=home.id, active=False)
    build.customer("Mallory")

    assert found(customer_type_id=home.id) == ["Ada", "Bob"]
    assert found(customer_type_id=home.id, active=True) == ["Ada"]
    assert found(active=False) == ["Bob"]


def test_pages_are_cut_in_sql_whatever_the_number_of_customers(build):
    def statements():
        db.session.commit()
        with count_statements() as sent:
            page = find_customers(CustomerFilter(), PageRequest(size=10))
            assert all(one.customer_type is None and one.term is None for one in page.rows)
        return len(sent), page

    for n in range(3):
        build.customer(f"Customer {n:02}")
    few, _page = statements()
    for n in range(3, 25):
        build.customer(f"Customer {n:02}")
    many, page = statements()

    assert many == few
    assert (page.total, page.last, len(page.rows)) == (25, 3, 10)
    last = PageRequest(number=99, size=10, sort="-name")
    assert found(last) == [f"Customer {n:02}" for n in (4, 3, 2, 1, 0)]


def test_one_that_is_not_there_is_not_found(build):
    with pytest.raises(NotFound):
        get_customer(999)
