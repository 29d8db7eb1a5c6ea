"""One page for all the rules of payment collection."""

import pytest

from portal.db import db
from portal.kernel.errors import Conflict, InvalidFields
from portal.kernel.money import Money
from portal.payment_collection import RuleWords, change_rules, collection_rules, retry_days
from tests.conftest import staff_client

ADDRESS = "/staff/settings/collection"


def typed(**words):
    rules = collection_rules()
    fields = {"notice_days": 3, "retry_days": "3,5,7", "plan_most_payments": 4,
              "plan_longest_days": 180, "plan_grace_days": 5}  # fmt: skip
    return {"version": rules.version, **fields, **words}


def test_the_house_begins_with_sensible_rules(app):
    rules = collection_rules()
    assert (rules.notice_days, retry_days(rules)) == (3, [3, 5, 7])


def test_rules_are_saved_with_an_entry_in_the_timeline(office):
    answer = office.post(ADDRESS, data=typed(retry_days="2; 4 8", refund_limit="250"))

    assert answer.status_code == 303
    rules = collection_rules()
    assert retry_days(rules) == [2, 4, 8]
    assert rules.refund_limit == Money.of(250)
    assert "rules of payment collection were changed" in office.get(ADDRESS).text


def test_no_retries_at_all_can_be_chosen(office):
    office.post(ADDRESS, data=typed(retry_days=""))
    assert retry_days(collection_rules()) == []


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("notice_days", "-1", "Give a number from 0 to 30."),
        ("notice_days", "31", "Give a number from 0 to 30."),
        ("notice_days", "soon", "Not a valid integer value."),
        ("retry_days", "3,x", "with commas between them"),
        ("retry_days", "0", "Give days from 1 to 60"),
        ("retry_days", "1,1,1,1,1,1,1", "at most 6 times"),
        ("refund_limit", "0", "above zero"),
        ("plan_least_amount", "-5", "above zero"),
        ("plan_most_payments", "5", "need the declaration below"),
        ("plan_grace_days", "99", "Give a number from 0 to 60."),
    ],
)
def test_bad_input_is_told_beside_its_field(office, field, value, sentence):
    answer = office.post(ADDRESS, data=typed(**{field: value}))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{value}"' in answer.text


def test_the_lawful_process_names_who_declared_it(office):
    office.post(ADDRESS, data=typed(plan_most_payments="6", lawful_process="y"))

    rules = collection_rules()
    assert rules.plan_most_payments == 6
    assert "Administrator" in rules.lawful_process_by
    assert rules.lawful_process_at is not None
    office.post(ADDRESS, data=typed())
    assert (collection_rules().lawful_process_by, collection_rules().lawful_process_at) == (
        "",
        None,
    )


def test_two_people_do_not_overwrite_each_other(app):
    version = collection_rules().version
    change_rules(RuleWords(notice_days=5), version=version)
    db.session.commit()
    with pytest.raises(Conflict):
        change_rules(RuleWords(notice_days=7), version=version)
    with pytest.raises(InvalidFields):
        change_rules(RuleWords(notice_days=99), version=version + 1)


def test_only_who_may_edit_settings_sees_them(app, build):
    assert staff_client(app, build, "Collector").get(ADDRESS).status_code == 403


@pytest.mark.parametrize("looser", ["50.01", ""])
def test_who_is_bound_by_the_refund_limit_cannot_loosen_it(app, office, build, looser):
    office.post(ADDRESS, data=typed(refund_limit="50"))
    clerk = staff_client(app, build, "Accountant")

    refused = clerk.post(ADDRESS, data=typed(refund_limit=looser))

    assert "Only who approves refunds" in refused.text
    assert collection_rules().refund_limit == Money.of(50)
    assert clerk.post(ADDRESS, data=typed(refund_limit="40")).status_code == 303
    assert collection_rules().refund_limit == Money.of(40)
    assert office.post(ADDRESS, data=typed(refund_limit=looser)).status_code == 303
