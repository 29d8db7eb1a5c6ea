import pytest

from portal.customers import get_customer
from portal.db import db
from portal.models import Customer
from portal.pricebook import prices_of
from tests.conftest import count_statements, staff_client

HOSTILE = "<script>alert(1)</script>{{ 7*7 }}"
ADA = {"name": "Ada Lovelace", "email": "ada@example.org", "delivery": "email", "language": "en",
       "active": "y"}  # fmt: skip


@pytest.fixture
def ada(build):
    customer = build.customer("Ada Lovelace")
    db.session.commit()
    return customer


def text(response):
    return response.get_data(as_text=True)


def saved(customer_id):
    db.session.expire_all()
    return get_customer(customer_id)


def test_a_new_customer_lands_on_their_record(office):
    answer = office.post("/staff/customers", data={**ADA, "tags": "VIP, net"})

    assert answer.status_code == 303
    page = text(office.get(answer.location))
    assert "Ada Lovelace was added." in page
    assert ">VIP</a>" in page


def test_what_is_wrong_stands_beside_the_field_and_nothing_typed_is_lost(office):
    answer = office.post(
        "/staff/customers", data={**ADA, "name": "", "email": "ada", "city": "Springfield"}
    )

    page = text(answer)
    assert answer.status_code == 422
    assert "Give the customer a name." in page
    assert "does not look like an email address" in page
    assert 'value="Springfield"' in page
    assert db.session.query(Customer).count() == 0


def test_two_people_on_one_record(office, ada):
    form = f"/staff/customers/{ada.id}/edit"
    seen = ada.version
    office.post(form, data={**ADA, "version": seen, "city": "Springfield", "tags": "VIP"})

    answer = office.post(form, data={**ADA, "version": seen, "city": "Shelbyville", "tags": ""})

    page = text(answer)
    assert answer.status_code == 422
    assert "Somebody else saved this record" in page
    assert 'value="Shelbyville"' in page  # what was typed is kept
    assert "Saved now: Springfield" in page  # and what changed is told
    assert "Saved now: VIP" in page
    assert saved(ada.id).city == "Springfield"

    newer = saved(ada.id).version
    assert f'value="{newer}"' in page  # saving once more is a decision
    office.post(form, data={**ADA, "version": newer, "city": "Shelbyville"})
    assert saved(ada.id).city == "Shelbyville"


def test_deactivating_one_who_owes_asks_first(office, build):
    customer = build.posted("100").customer
    db.session.commit()
    form = f"/staff/customers/{customer.id}/edit"
    data = {**ADA, "version": customer.version, "active": ""}

    page = text(office.post(form, data=data))
    assert "still owes $100.00. Deactivate anyway?" in page
    assert saved(customer.id).active

    office.post(form, data={**data, "confirmed": "open balance"})
    assert not saved(customer.id).active


def test_a_retired_term_stays_with_the_customer_who_has_it(office, build):
    term = build.term("Net 15")
    customer = build.customer(term_id=term.id)
    term.active = False
    db.session.commit()
    form = f"/staff/customers/{customer.id}/edit"

    assert "Net 15" in text(office.get(form))
    data = {**ADA, "version": customer.version, "term_id": term.id, "city": "Springfield"}
    assert office.post(form, data=data).status_code == 303
    assert saved(customer.id).term_id == term.id
    assert "Net 15" not in text(office.get("/staff/customers/new"))


def test_hostile_text_is_shown_as_text(office):
    words = {**ADA, "name": HOSTILE, "notes": HOSTILE, "city": HOSTILE, "tags": HOSTILE}
    record = office.post("/staff/customers", data=words).location

    for path in (record, f"{record}/edit", "/staff/customers", "/staff/search?q=script"):
        page = text(office.get(path))
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page


def test_filters_live_in_the_address(office, build):
    build.customer("Ada Lovelace")
    build.customer("Bob Late", active=False)
    db.session.commit()

    page = text(office.get("/staff/customers?q=ada"))
    assert "Ada Lovelace" in page
    assert "Bob Late" not in page
    assert 'value="ada"' in page
    assert "Bob Late" in text(office.get("/staff/customers?active=no"))


def test_a_tag_leads_to_everybody_who_carries_it(office):
    office.post("/staff/customers", data={**ADA, "tags": "VIP & co"})
    office.post("/staff/customers", data={**ADA, "name": "Bob Late"})

    page = text(office.get("/staff/customers?tag=VIP+%26+co"))

    assert "Ada Lovelace" in page
    assert "Bob Late" not in page
    assert "tagged VIP &amp; co" in page
    assert 'name="tag" value="VIP &amp; co"' in page  # typing on keeps it


def test_typing_brings_only_the_rows(office, ada):
    page = text(office.get("/staff/customers?q=ada", headers={"HX-Request": "true"}))

    assert page.lstrip().startswith('<div id="rows"')
    assert "Ada Lovelace" in page
    assert "<html" not in page


def test_an_empty_list_teaches(office):
    assert "A customer is who pays." in text(office.get("/staff/customers"))


def test_a_lookup_finds_by_part_of_the_name(office, ada):
    page = text(office.get("/staff/customers/lookup?customer=lovel"))
    assert f'data-pick="{ada.id}"' in page
    assert "Nobody by this name." in text(office.get("/staff/customers/lookup?customer=zz"))


@pytest.mark.parametrize("where", ["/staff/customers", "/staff/customers/{}"])
def test_pages_send_the_same_statements_however_much_there_is(office, build, where):
    customer = build.customer("Ada")
    build.location(customer)
    db.session.commit()
    path = where.format(customer.id)

    def statements():
        office.get(path)
        with count_statements() as sent:
            assert office.get(path).status_code == 200
        return len(sent)

    few = statements()
    for n in range(8):
        build.customer(f"Other {n}")
        build.location(customer, zone=build.zone("5"))
        build.posted("10", customer=customer)
        build.payment(customer, "1")
    db.session.commit()

    assert statements() == few


def test_a_customers_price_is_agreed_and_taken_back(office, build, ada):
    item = build.item("100", code="LAB-1")
    db.session.commit()
    prices = f"/staff/customers/{ada.id}/prices"

    office.post(prices, data={"item": "LAB-1", "unit_price": "80"})
    agreed = prices_of(saved(ada.id))
    assert [(one.item, str(one.unit_price)) for one in agreed] == [(item, "80")]

    office.post(f"{prices}/{agreed[0].id}/removal")
    assert prices_of(saved(ada.id)) == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"item": "LAB-1", "unit_price": "cheap"}, "Give a number"),
        ({"item": "LAB-1", "unit_price": "-1"}, "A price cannot be negative."),
        ({"item": "nothing", "unit_price": "1"}, "Choose an item of the price book."),
    ],
)
def test_a_wrong_price_is_refused_on_the_record(office, build, ada, data, sentence):
    build.item("100", code="LAB-1")
    db.session.commit()

    answer = office.post(f"/staff/customers/{ada.id}/prices", data=data)

    assert answer.status_code == 422
    assert sentence in text(answer)


def test_what_belongs_to_another_customer_is_not_found(office, build, ada):
    bob = build.customer("Bob")
    place, item = build.location(bob), build.item()
    from portal.pricebook import set_customer_price

    set_customer_price(bob, item, item.unit_price)
    db.session.commit()
    mine = f"/staff/customers/{ada.id}"

    assert office.get(f"{mine}/locations/{place.id}").status_code == 404
    assert office.get(f"{mine}/contacts/{bob.contacts[0].id}").status_code == 404
    assert office.post(f"{mine}/prices/{prices_of(bob)[0].id}/removal").status_code == 404


def test_who_may_only_read_gets_no_form(app, build, ada):
    reader = staff_client(app, build, "Read-only")

    page = text(reader.get(f"/staff/customers/{ada.id}"))
    assert "data-edit" not in page
    assert reader.get(f"/staff/customers/{ada.id}/edit").status_code == 403
    assert reader.post(f"/staff/customers/{ada.id}/edit", data=ADA).status_code == 403
