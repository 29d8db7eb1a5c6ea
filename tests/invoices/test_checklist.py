from portal.db import db
from portal.invoices import (
    Check,
    LineWords,
    add_line,
    checklist,
    checklists,
    get_invoice,
    invoice_of_job,
    refresh_tax,
)
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import ItemKind
from portal.pricebook import set_customer_price
from portal.taxes import map_postal_code
from tests.conftest import count_statements


def found(invoice):
    return {one.check for one in checklist(invoice)}


def good(build, *prices):
    invoice = build.invoice(*(prices or ("80",)), location=build.location(zone=build.zone("10")))
    invoice.summary = "Repaired the furnace"
    return invoice


def line(item, price=None, **words):
    price = UnitPrice.of(price) if price else None
    return LineWords("", Quantity.of(1), price, item=item, **words)


def test_a_well_made_invoice_has_nothing_to_look_at(build):
    assert checklist(good(build)) == []


def test_what_is_missing_is_named(build):
    assert found(build.invoice()) == {Check.NO_LINES, Check.NO_SUMMARY, Check.ZONE_MISSING}
    undone = invoice_of_job(build.job(location=build.location(zone=build.zone("5"))))
    assert found(undone) == {Check.NO_DATE, Check.JOB_NOT_DONE, Check.NO_LINES}


def test_the_exempt_need_no_tax_zone(build):
    exempt = build.customer(tax_exempt=True, exemption_certificate="X1")
    invoice = build.invoice("80", customer=exempt)

    assert Check.ZONE_MISSING not in found(invoice)


def test_a_postal_code_of_two_zones_is_for_a_person_to_decide(build):
    for name in ("Springfield", "Sangamon"):
        map_postal_code("62701", build.zone("5", name=name))
    invoice = build.invoice("80", location=build.location())

    (finding,) = [one for one in checklist(invoice) if one.check is Check.ZONE_AMBIGUOUS]

    assert finding.sentence == (
        "62701 lies in several tax zones: Sangamon, Springfield. Choose one."
    )
    assert Check.ZONE_MISSING not in found(invoice)


def test_a_location_moved_to_another_zone_makes_the_tax_stale(build):
    invoice = good(build)
    invoice.location.tax_zone = build.zone("5")
    db.session.flush()
    assert found(invoice) == {Check.STALE_TAX}

    refresh_tax(invoice)

    assert found(invoice) == set()


def test_a_changed_rate_makes_the_tax_stale(build):
    invoice = good(build)
    invoice.tax_zone.rates[0].rate = build.zone("11").rates[0].rate

    assert found(invoice) == {Check.STALE_TAX}


def test_parts_name_who_put_them_in(build):
    invoice, part = good(build), build.item("20", kind=ItemKind.MATERIAL)
    add_line(invoice, line(part))
    assert found(invoice) == {Check.NO_TECHNICIAN}

    invoice.lines[1].technician_id = build.person("Tess", is_technician=True).id

    assert found(invoice) == set()


def test_a_price_unlike_the_customers_is_told(build):
    invoice, item, off = good(build), build.item("20"), build.item("5", kind=ItemKind.DISCOUNT)
    add_line(invoice, line(item, "19"))
    add_line(invoice, line(off))
    (finding,) = checklist(invoice)
    assert finding.sentence.endswith("costs 19 here; the price book says 20.")

    set_customer_price(invoice.customer, item, UnitPrice.of("19"))

    assert checklist(invoice) == []
    set_customer_price(invoice.customer, item, UnitPrice.of("18"))
    assert "this customer's price is 18" in checklist(invoice)[0].sentence


def test_a_total_below_zero_is_told(build):
    invoice, off = good(build, "5"), build.item("20", kind=ItemKind.DISCOUNT)
    add_line(invoice, line(off))

    assert found(invoice) == {Check.NEGATIVE_TOTAL}


def test_many_checklists_cost_as_much_as_one(build):
    ids = [good(build, "80", "20").id for _ in range(7)]
    db.session.commit()
    counts = []
    for some in (ids[:1], ids):
        db.session.expire_all()
        invoices = [get_invoice(one) for one in some]
        with count_statements() as statements:
            checklists(invoices)
        counts.append(len(statements))

    assert counts[0] == counts[1]
