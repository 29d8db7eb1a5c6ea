import pytest

from portal.customers import get_customer
from portal.db import db
from portal.taxes import map_postal_code


@pytest.fixture
def ada(build):
    customer = build.customer("Ada")
    for name, pattern in (("Springfield", "627*"), ("West", "981*"), ("East", "981*")):
        map_postal_code(pattern, build.zone("5", name=name))
    db.session.commit()
    return customer


def add(office, customer, **data):
    answer = office.post(
        f"/staff/customers/{customer.id}/locations",
        data={"street": "1 Main St", "active": "y", **data},
    )
    db.session.expire_all()
    return answer


def zones(customer):
    return [one.tax_zone.name if one.tax_zone else None
            for one in get_customer(customer.id).locations]  # fmt: skip


def test_the_zip_suggests_the_tax_zone(office, ada):
    answer = add(office, ada, postal_code="62701")

    assert zones(ada) == ["Springfield"]
    assert "Tax zone Springfield was taken from the ZIP." in office.get(answer.location).get_data(
        as_text=True
    )


def test_an_ambiguous_zip_asks_the_person(office, ada):
    answer = add(office, ada, postal_code="98101")

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "several tax zones (East, West)" in page
    assert 'value="98101"' in page
    assert zones(ada) == []


def test_what_a_person_chooses_wins(office, ada):
    from portal.taxes import active_zones

    west = next(one for one in active_zones() if one.name == "West")
    add(office, ada, postal_code="62701", tax_zone_id=west.id)

    assert zones(ada) == ["West"]


def test_an_unknown_zip_leaves_the_zone_open(office, ada):
    add(office, ada, postal_code="10001")
    assert zones(ada) == [None]


def test_a_location_without_a_street_is_refused_beside_the_field(office, ada):
    answer = add(office, ada, street="", city="Springfield")

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Give the street and number." in page
    assert 'value="Springfield"' in page


def test_a_location_is_changed_and_an_old_version_refused(office, ada):
    add(office, ada)
    location = get_customer(ada.id).locations[0]
    path = f"/staff/customers/{ada.id}/locations/{location.id}"
    data = {"version": location.version, "street": "2 Main St", "active": "y"}

    assert office.post(path, data=data).status_code == 303
    again = office.post(path, data={**data, "street": "3 Main St"})

    assert again.status_code == 422
    assert "Saved now: 2 Main St" in again.get_data(as_text=True)


def test_a_contact_is_added_and_signs_in_under_one_form_of_the_address(office, ada):
    path = f"/staff/customers/{ada.id}/contacts"
    data = {"name": "Charles", "email": "Charles@Example.org", "billing_access": "pay",
            "active": "y"}  # fmt: skip

    assert office.post(path, data=data).status_code == 303
    wrong = office.post(path, data={**data, "email": "charles@"})

    db.session.expire_all()
    assert [one.email for one in get_customer(ada.id).contacts][1:] == ["charles@example.org"]
    assert wrong.status_code == 422
    assert "does not look like an email address" in wrong.get_data(as_text=True)
