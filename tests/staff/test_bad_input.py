import pytest

from portal.db import db
from portal.models import Customer

HUGE = 99999999999999999999
LISTS = ("customers", "jobs", "invoices", "payments", "price-book", "tax-zones", "payment-terms",
         "accounts", "receivables", "outbox", "people", "online-payments")  # fmt: skip


@pytest.mark.parametrize("kind", ["customers", "jobs", "invoices", "payments", "price-book",
                                  "tax-zones", "payment-terms", "accounts", "people"])  # fmt: skip
def test_an_id_no_database_could_hold_is_not_found(office, kind):
    assert office.get(f"/staff/{kind}/{HUGE}").status_code == 404


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        "q=%00", "q=%25", "q=%5C", "q=%27%3B--", "page=-1", f"page={HUGE}", "size=nonsense",
        "sort=nonsense", "sort=-", f"customer_type_id={HUGE}", f"customer_id={HUGE}",
        f"technician_id={HUGE}", "state=nonsense", "received_from=nonsense",
        "scheduled_from=0001-01-01",
        "on=nonsense", "active=nonsense",
    ],
)  # fmt: skip
def test_nonsense_in_the_address_never_breaks_a_list(office, kind, query):
    assert office.get(f"/staff/{kind}?{query}").status_code == 200


@pytest.mark.parametrize("name", ["Ada\0Lovelace", "Ada\ud83d", "\u202eecalevoL", "Ada\r\nX: y"])
def test_characters_nobody_types_do_not_break_a_form(office, name):
    answer = office.post(
        "/staff/customers",
        data={"name": name.encode("utf-8", "surrogatepass"), "delivery": "email", "language": "en"},
    )

    assert answer.status_code in (303, 400, 422)
    for customer in db.session.query(Customer):
        assert office.get(f"/staff/customers/{customer.id}").status_code == 200


@pytest.mark.parametrize("field", ["customer_type_id", "term_id"])
@pytest.mark.parametrize("value", [str(HUGE), "999", "x"])
def test_an_id_that_was_not_offered_is_refused_beside_the_field(office, field, value):
    answer = office.post(
        "/staff/customers",
        data={"name": "Ada", "delivery": "email", "language": "en", field: value},
    )

    assert answer.status_code in (303, 422)
    if answer.status_code == 303:  # nonsense that is no number counts as nothing chosen
        assert getattr(db.session.query(Customer).one(), field) is None


def test_words_without_end_are_kept_or_refused_but_never_break(office):
    answer = office.post(
        "/staff/customers",
        data={"name": "A" * 100_000, "delivery": "email", "language": "en"},
    )
    assert answer.status_code in (303, 422)
