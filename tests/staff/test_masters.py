"""Price book, tax zones, terms, accounts, payment types, labels and the company's own page."""

import io

import pytest
from PIL import Image

from portal.company import business_units, company
from portal.customers import customer_types
from portal.db import PageRequest, db
from portal.kernel.numbers import UnitPrice
from portal.ledger import AccountFilter, find_accounts
from portal.payments import payment_types
from portal.pricebook import ItemFilter, find_items, set_customer_price
from portal.taxes import find_zones, map_postal_code, postal_patterns
from portal.terms import find_terms
from tests.conftest import count_statements, staff_client

HOSTILE = "<img src=x onerror=alert(1)>"
ITEM = {"code": "LAB-1", "name": "Labor", "kind": "service", "unit": "hour", "unit_price": "120",
        "tax_class": "labor", "taxable": "y", "active": "y"}  # fmt: skip
ZONE = {"name": "Springfield", "active": "y", "authority": ["State", "City", ""],
        "base": ["subtotal", "labor", "subtotal"], "rate": ["6.25", "0.75%", ""],
        "starts_on": ["2026-01-01", "", ""], "ends_on": ["", "", ""]}  # fmt: skip
TERM = {"name": "Net 10", "due_kind": "days_after", "due_day": "10", "discount_days": "0",
        "active": "y"}  # fmt: skip
ACCOUNT = {"number": "4050", "name": "Permits", "kind": "income", "active": "y"}


def text(response):
    return response.get_data(as_text=True)


def rows(kind):
    db.session.expire_all()
    page = PageRequest(size=200)
    return {
        "price-book": lambda: list(find_items(ItemFilter(), page).rows),
        "tax-zones": lambda: list(find_zones("", page).rows),
        "payment-terms": lambda: list(find_terms("", page).rows),
        "accounts": lambda: list(find_accounts(AccountFilter(), page).rows),
        "payment-types": lambda: payment_types(all_of_them=True),
    }[kind]()


def newest(kind):
    return max(rows(kind), key=lambda row: row.id)


def way_to_pay(**changes):
    account = payment_types()[0].account_id
    return {"name": "Money order", "method": "other", "account_id": account, "active": "y",
            **changes}  # fmt: skip


KINDS = {
    "price-book": (lambda **c: {**ITEM, **c}, {"code": "", "name": "Labor"}),
    "tax-zones": (lambda **c: {**ZONE, **c}, {"name": ""}),
    "payment-terms": (lambda **c: {**TERM, **c}, {"name": ""}),
    "accounts": (lambda **c: {**ACCOUNT, **c}, {"number": ""}),
    "payment-types": (way_to_pay, {"name": ""}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_added_changed_and_guarded_against_an_old_version(office, kind):
    words, _wrong = KINDS[kind]
    assert office.get(f"/staff/{kind}/new").status_code == 200
    assert office.post(f"/staff/{kind}", data=words()).status_code == 303
    row = newest(kind)
    path, seen = f"/staff/{kind}/{row.id}", row.version

    assert row.name in text(office.get(path))
    saved = office.post(path, data=words(name="Renamed", version=seen))
    late = office.post(path, data=words(name="Too late", version=seen))

    assert saved.status_code == 303
    assert (late.status_code, "Somebody else saved" in text(late)) == (422, True)
    assert 'value="Too late"' in text(late)
    assert "Saved now: Renamed" in text(late)
    assert newest(kind).name == "Renamed"
    assert "was changed." in text(office.get(path))  # the timeline


@pytest.mark.parametrize("kind", KINDS)
def test_each_refuses_beside_the_field_and_keeps_what_was_typed(office, kind):
    words, wrong = KINDS[kind]
    before = len(rows(kind))

    answer = office.post(f"/staff/{kind}", data=words(**wrong))

    assert answer.status_code == 422
    assert "is-invalid" in text(answer)
    assert len(rows(kind)) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_taken_name_is_refused_without_a_crash(office, kind):
    """The page that tells it must not try to save the half-changed row."""
    words, _wrong = KINDS[kind]
    office.post(f"/staff/{kind}", data=words())
    first = newest(kind)
    other = {"code": "LAB-2"} if kind == "price-book" else {"name": "Another", "number": "4051"}
    office.post(f"/staff/{kind}", data=words(**other))
    second = newest(kind)
    assert second.id != first.id

    answer = office.post(f"/staff/{kind}/{second.id}", data=words(version=second.version))

    assert answer.status_code == 422
    assert "already has this" in text(answer)


@pytest.mark.parametrize("kind", [*KINDS, "customers", "jobs"])
def test_unknown_ids_are_not_found(office, kind):
    assert office.get(f"/staff/{kind}/999999").status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_names_are_shown_as_text(office, kind):
    words, _wrong = KINDS[kind]
    office.post(f"/staff/{kind}", data=words(name=HOSTILE))

    for path in (f"/staff/{kind}", f"/staff/{kind}/{newest(kind).id}"):
        page = text(office.get(path))
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;" in page


@pytest.mark.parametrize("kind", ["price-book", "tax-zones", "payment-terms", "accounts"])
def test_lists_narrow_as_one_types_and_stay_quick(office, kind):
    words, _wrong = KINDS[kind]
    office.post(f"/staff/{kind}", data=words(name="Zebra"))
    assert newest(kind).name == "Zebra"

    def statements(path):
        office.get(path)
        with count_statements() as sent:
            page = text(office.get(path, headers={"HX-Request": "true"}))
        return page, len(sent)

    page, few = statements(f"/staff/{kind}?q=ZEBRA")
    assert page.lstrip().startswith('<div id="rows"')
    assert "Zebra" in page
    assert "Zebra" not in statements(f"/staff/{kind}?q=giraffe")[0]
    for n in range(5):
        office.post(f"/staff/{kind}", data=words(name=f"Zebra {n}", code=f"Z{n}", number=f"99{n}"))
    page, many = statements(f"/staff/{kind}?q=zebra")
    assert page.count("data-row") == 6
    assert many == few


def test_a_deactivated_item_is_not_offered_any_more(office):
    office.post("/staff/price-book", data=ITEM)
    item = newest("price-book")
    office.post(
        f"/staff/price-book/{item.id}", data={**ITEM, "active": "", "version": item.version}
    )

    assert "LAB-1" not in text(office.get("/staff/price-book/lookup?item=lab"))
    assert "LAB-1" in text(office.get("/staff/price-book?active=no"))


@pytest.mark.parametrize("price", ["", "free", "1e400", "-1", "999999999999"])
def test_a_price_that_is_none_is_refused(office, price):
    answer = office.post("/staff/price-book", data={**ITEM, "unit_price": price})
    assert answer.status_code == 422
    assert f'value="{price}"' in text(answer)


def test_a_zone_keeps_its_rates(office):
    office.post("/staff/tax-zones", data=ZONE)
    zone = newest("tax-zones")

    assert [
        (r.authority, str(r.rate.as_percent.normalize()), r.base.value) for r in zone.rates
    ] == [
        ("State", "6.25", "subtotal"),
        ("City", "0.75", "labor"),
    ]
    assert 'value="6.25"' in text(office.get(f"/staff/tax-zones/{zone.id}"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rate": ["six", "1", ""]}, "Check the rate of State"),
        ({"base": ["everything", "labor", ""]}, "Check the rate of State"),
        ({"starts_on": ["yesterday", "", ""]}, "Check the rate of State"),
        ({"authority": ["State", "State", ""], "base": ["labor", "labor", ""]}, "on the same day"),
        ({"rate": ["101", "1", ""]}, "between 0 % and 100 %"),
    ],
)
def test_a_wrong_rate_is_told_and_stays_on_the_page(office, changes, sentence):
    answer = office.post("/staff/tax-zones", data={**ZONE, **changes})

    assert answer.status_code == 422
    assert sentence in text(answer)
    assert 'value="State"' in text(answer)
    assert rows("tax-zones") == []


def test_zip_codes_are_mapped_taken_off_and_flagged_when_ambiguous(office, build):
    zone, other = build.zone("5", name="West"), build.zone("6", name="East")
    map_postal_code("981*", other)
    db.session.commit()
    codes = f"/staff/tax-zones/{zone.id}/postal-codes"

    office.post(codes, data={"patterns": "98101, 981*, K1A 0B1"})
    db.session.expire_all()
    assert {one.pattern for one in postal_patterns(zone)} == {"98101", "981*", "K1A 0B1"}
    page = text(office.get(f"/staff/tax-zones/{zone.id}"))
    assert "ambiguous: also East" in page

    refused = office.post(codes, data={"patterns": "9*1"})
    assert refused.status_code == 422
    assert 'value="9*1"' in text(refused)

    whole = next(one for one in postal_patterns(zone) if one.pattern == "98101")
    office.post(f"{codes}/{whole.id}/removal")
    db.session.expire_all()
    assert {one.pattern for one in postal_patterns(zone)} == {"981*", "K1A 0B1"}
    page = text(office.get(f"/staff/tax-zones/{zone.id}"))
    assert "98101 no longer lies in West." in page


def test_another_term_becomes_the_default(office, build):
    term = build.term("Net 30")
    office.post(f"/staff/payment-terms/{term.id}/default")

    db.session.expire_all()
    assert company().default_term_id == term.id


def test_a_used_term_keeps_its_rule(office, build):
    build.invoice("5", term="Net 30")
    db.session.commit()
    term = build.term("Net 30")

    path = f"/staff/payment-terms/{term.id}"
    assert "This term is in use" in text(office.get(path))
    answer = office.post(path, data={**TERM, "version": term.version})
    assert answer.status_code == 422
    assert "already used by customers or invoices" in text(answer)


def test_an_account_the_house_posts_to_stays_active(office):
    account = next(one for one in rows("accounts") if one.role)
    words = {"number": account.number, "name": account.name, "kind": account.kind.value,
             "version": account.version}  # fmt: skip

    answer = office.post(f"/staff/accounts/{account.id}", data=words)

    assert answer.status_code == 422
    assert "entries are posted to it automatically" in text(answer)


def test_a_used_way_to_pay_keeps_its_account(office, build):
    kind = payment_types()[0]
    build.payment(build.customer(), "5")
    db.session.commit()
    path = f"/staff/payment-types/{kind.id}"
    other = next(one.account_id for one in payment_types() if one.account_id != kind.account_id)
    words = {"name": "Cheque", "method": kind.method.value, "active": "y",
             "version": kind.version}  # fmt: skip

    assert "Payments came in by this type" in text(office.get(path))
    refused = office.post(path, data={**words, "account_id": other})
    assert refused.status_code == 422
    assert "Add a new payment type instead." in text(refused)
    assert office.post(path, data={**words, "account_id": kind.account_id}).status_code == 303


def test_the_houses_own_payment_types_cannot_be_opened(office):
    own = payment_types(online=True)[0]
    assert own.name in text(office.get("/staff/payment-types"))
    assert office.get(f"/staff/payment-types/{own.id}").status_code == 404


def test_founding_again_does_not_bring_back_a_renamed_type(office):
    from portal.seed import found_company

    kind = payment_types()[0]
    words = way_to_pay(name="Cheque", method=kind.method.value, version=kind.version)
    office.post(f"/staff/payment-types/{kind.id}", data=words)
    before = len(rows("payment-types"))

    found_company()

    assert len(rows("payment-types")) == before


@pytest.mark.parametrize(
    ("shelf", "labels"),
    [
        ("business-units", lambda: business_units(all_of_them=True)),
        ("customer-types", lambda: customer_types(all_of_them=True)),
    ],
)
def test_labels_are_edited_where_they_stand(office, shelf, labels):
    def only():
        db.session.expire_all()
        return labels()[-1]

    office.post(f"/staff/labels/{shelf}", data={"name": "HVAC"})
    row = only()
    path, seen = f"/staff/labels/{shelf}/{row.id}", row.version

    office.post(path, data={"name": "Heating", "version": seen})  # no longer offered
    assert (only().name, only().active) == ("Heating", False)

    late = office.post(path, data={"name": "Cooling", "active": "yes", "version": seen})
    assert late.status_code == 422
    assert 'value="Cooling"' in text(late)
    assert "Somebody else saved" in text(late)
    assert "of this name already" in text(
        office.post(f"/staff/labels/{shelf}", data={"name": " heating "})
    )
    assert "Give the" in text(office.post(f"/staff/labels/{shelf}", data={"name": " "}))
    assert office.post(f"/staff/labels/{shelf}/999", data={"name": "x"}).status_code == 404
    assert only().name == "Heating"


def test_an_unknown_shelf_is_not_found(office):
    assert office.post("/staff/labels/secrets", data={"name": "x"}).status_code == 404


def company_words(**changes):
    row = company()
    names = ("name", "zone", "locale", "country", "version")
    return {**{name: getattr(row, name) for name in names}, **changes}


def test_the_companys_page_saves_and_tells(office):
    answer = office.post(
        "/staff/settings", data=company_words(name="Acme & Sons", city="Springfield")
    )

    db.session.expire_all()
    assert answer.status_code == 303
    assert company().name == "Acme & Sons"
    assert "Acme &amp; Sons" in text(office.get("/staff/settings"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": " "}, "Give the company a name."),
        ({"email": "billing@acme"}, "does not look like an email address"),
        ({"zone": "Mars/Olympus"}, "Not a valid choice"),
    ],
)
def test_a_wrong_setting_is_refused_beside_its_field(office, changes, sentence):
    answer = office.post("/staff/settings", data=company_words(**changes))

    assert answer.status_code == 422
    assert sentence in text(answer)


def test_a_logo_is_taken_and_what_is_no_picture_refused(office):
    picture = io.BytesIO()
    Image.new("RGB", (60, 20), "navy").save(picture, "PNG")
    picture.seek(0)

    fine = office.post("/staff/settings/logo", data={"photo": (picture, "logo.png")})
    wrong = office.post("/staff/settings/logo", data={"photo": (io.BytesIO(b"<svg/>"), "x.svg")})
    none = office.post("/staff/settings/logo", data={})

    db.session.expire_all()
    assert (fine.status_code, wrong.status_code, none.status_code) == (303, 422, 422)
    assert company().logo_key
    assert 'role="alert"' in text(wrong)
    assert office.get("/brand/logo").status_code == 200 or "logo" in text(
        office.get("/staff/settings/documents")
    )


@pytest.mark.parametrize("role", ["Read-only", "Technician", "Collector"])
@pytest.mark.parametrize("path", ["labels", "payment-types", "payment-terms", "tax-zones",
                                  "settings", "accounts/new", "price-book/new"])  # fmt: skip
def test_settings_are_not_everybodys(app, build, role, path):
    assert staff_client(app, build, role).get(f"/staff/{path}").status_code == 403


@pytest.mark.parametrize(
    ("kind", "tax_class"),
    [("service", "labor"), ("material", "material"), ("equipment", "material"), ("fee", "other")],
)
def test_an_items_tax_class_follows_its_kind_unless_chosen(office, kind, tax_class):
    words, _wrong = KINDS["price-book"]
    office.post("/staff/price-book", data=words(kind=kind, tax_class=""))
    assert newest("price-book").tax_class == tax_class

    office.post("/staff/price-book", data=words(kind=kind, code="X", tax_class="trip"))
    assert newest("price-book").tax_class == "trip"


def test_the_list_of_terms_says_when_and_what_early_payment_is_worth(office):
    office.post(
        "/staff/payment-terms",
        data={"name": "2/10 net 30", "due_kind": "days_after", "due_day": "30",
              "discount_rate": "2", "discount_days": "10", "active": "y"},
    )  # fmt: skip

    page = office.get("/staff/payment-terms").text

    assert "30 days after" in page
    assert "2% within 10 days" in page
    assert "on receipt" in page


def test_the_lookup_tells_the_price_this_customer_pays(office, build):
    item, customer = build.item("100", code="VALVE"), build.customer()
    set_customer_price(customer, item, UnitPrice.of(80))

    assert "$100.00 per each" in office.get("/staff/price-book/lookup?item=val").text
    agreed = office.get(f"/staff/price-book/lookup?item=val&customer_id={customer.id}").text
    assert 'data-price="$80.00"' in agreed
