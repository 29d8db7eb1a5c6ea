from dataclasses import replace

import pytest

from portal.audit import trail_of
from portal.db import PageRequest, db
from portal.kernel.errors import Conflict, InvalidFields, NotFound
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import ItemKind, TaxClass
from portal.pricebook import (
    ItemFilter,
    ItemWords,
    add_item,
    change_item,
    find_items,
    get_item,
    price_for,
    prices_of,
    remove_customer_price,
    search_items,
    set_customer_price,
)

LABOR = ItemWords("LAB-1", "Labor, per hour", ItemKind.SERVICE, UnitPrice.of("120"))


def added(words=LABOR):
    item = add_item(words)
    db.session.flush()
    return item


def found(**wanted):
    return [one.code for one in find_items(ItemFilter(**wanted), PageRequest()).rows]


def test_prices_keep_four_decimals(build):
    item = added(replace(LABOR, unit_price=UnitPrice.of("0.3333"), unit_cost=UnitPrice.of("0.1")))
    db.session.expire(item)

    assert str(item.unit_price.extend(Quantity.of(3))) == "$1.00"
    assert item.unit_cost == UnitPrice.of("0.1")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (replace(LABOR, code=" "), "code"),
        (replace(LABOR, code=" LAB-1 "), "code"),  # taken
        (replace(LABOR, code="lab-1"), "code"),  # the same to people
        (replace(LABOR, code="NEW", name=""), "name"),
        (replace(LABOR, code="NEW", unit_price=UnitPrice.of(-1)), "unit_price"),
        (replace(LABOR, code="NEW", unit_cost=UnitPrice.of(-1)), "unit_cost"),
    ],
)
def test_a_wrong_item_is_refused_beside_its_field(build, words, field):
    added()
    with pytest.raises(InvalidFields) as refusal:
        add_item(words)
    assert set(refusal.value.errors) == {field}


def test_a_change_is_told_and_an_old_version_refused(build):
    item = added()
    seen = item.version

    change_item(item, replace(LABOR, unit_price=UnitPrice.of("130")), version=seen)
    db.session.flush()

    assert trail_of(item)[0].changes == {"unit_price": ["120", "130"]}
    with pytest.raises(Conflict):
        change_item(item, LABOR, version=seen)


def test_invoices_keep_the_price_they_were_made_with(build):
    item = added()
    job = build.job(items=(item,))
    from portal.invoices import invoice_of_job
    from portal.jobs import complete_job

    complete_job(job)
    change_item(item, replace(LABOR, unit_price=UnitPrice.of("500")), version=item.version)
    db.session.flush()

    assert str(invoice_of_job(job).subtotal) == "$120.00"


def test_a_customers_price_beats_the_price_book(build):
    item, ada, bob = added(), build.customer("Ada"), build.customer("Bob")
    set_customer_price(ada, item, UnitPrice.of("99.99"))
    set_customer_price(ada, item, UnitPrice.of("95"))  # replaces
    db.session.flush()

    assert (str(price_for(item, ada)), str(price_for(item, bob))) == ("95", "120")
    assert len(prices_of(ada)) == 1
    assert trail_of(ada)[0].changes == {"LAB-1": ["99.99", "95"]}

    remove_customer_price(prices_of(ada)[0], ada)
    assert price_for(item, ada) == UnitPrice.of("120")


def test_a_price_of_nothing_is_a_price(build):
    item, ada = added(), build.customer()
    set_customer_price(ada, item, UnitPrice.of(0))
    assert price_for(item, ada) == UnitPrice.of(0)


def test_a_negative_price_is_refused(build):
    with pytest.raises(InvalidFields):
        set_customer_price(build.customer(), added(), UnitPrice.of(-1))


def test_the_list_narrows_by_kind_state_and_text(build):
    added()
    added(replace(LABOR, code="PIPE", name="Pipe 100%", kind=ItemKind.MATERIAL,
                  tax_class=TaxClass.MATERIAL))  # fmt: skip
    added(replace(LABOR, code="OLD", name="Old pipe", active=False))

    assert found(kind=ItemKind.MATERIAL) == ["PIPE"]
    assert found(active=False) == ["OLD"]
    assert found(q="PIPE") == ["OLD", "PIPE"]
    assert found(q="0%") == ["PIPE"]


def test_looking_up_shows_codes_that_begin_so_first_and_nothing_retired(build):
    added(replace(LABOR, code="A-PIPE"))
    added(replace(LABOR, code="PIPE-1"))
    added(replace(LABOR, code="PIPE-0", active=False))

    assert [one.code for one in search_items("pipe")] == ["PIPE-1", "A-PIPE"]


def test_one_that_is_not_there_is_not_found(build):
    with pytest.raises(NotFound):
        get_item(999)
