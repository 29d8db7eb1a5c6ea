"""The collector's screens: every action by form, foreign cases are 404, settings keep the law."""

from datetime import timedelta

import pytest

from portal.access import Ability
from portal.db import db
from portal.dunning import (
    assign_collector,
    dunning_rules,
    ensure_policy,
    get_policy,
    policies,
    stages_of,
)
from portal.models import (
    ContactAttempt,
    DunningCase,
    Invoice,
    InvoiceDispute,
    PromiseToPay,
    WriteOffProposal,
)
from portal.tasks import run_waiting
from tests.conftest import count_statements, staff_client
from tests.dunning.cases import TODAY, case_of, hour_passes, overdue, reminders, set_rules


@pytest.fixture
def ada(build):
    set_rules(reminders_on=False)
    who = overdue(build, 22, "60", "40", name="Ada Lovelace", phone="312 555 0142")
    hour_passes()
    return who


def act(browser, customer, what, **words):
    return browser.post(f"/staff/collections/{case_of(customer).id}/{what}", data=words)


def text(reply):
    return " ".join(reply.get_data(as_text=True).split())


def test_the_list_ranks_by_what_is_at_risk_and_says_why(office, ada, build):
    overdue(build, 95, "50", name="Old Small")
    hour_passes()

    page = text(office.get("/staff/collections"))

    assert page.index("Ada Lovelace") > page.index("Old Small")  # 80 % of 50 beats 25 % of 100
    assert "invoice INV-2026-00001 is 22 days overdue" in page
    assert "$150.00" in page


def test_an_empty_list_teaches(office):
    assert "Cases begin by themselves" in text(office.get("/staff/collections"))


def test_the_list_costs_the_same_for_many(office, build, ada):
    def statements():
        with count_statements() as sent:
            assert office.get("/staff/collections").status_code == 200
        return len(sent)

    few = statements()
    for _ in range(12):
        overdue(build, 40)
    hour_passes()

    assert statements() <= few


def test_a_call_is_logged_with_its_outcome_and_finishes_its_stage(office, ada):
    reply = act(office, ada, "calls", outcome="spoke", address="+13125550142", note="Pays Friday")

    assert reply.status_code == 303
    (row,) = db.session.query(ContactAttempt).all()
    assert (row.outcome, row.note, row.user.name) == ("spoke", "Pays Friday", "Administrator")
    assert [one.state for one in case_of(ada).steps] == ["done"]
    page = text(office.get(f"/staff/collections/{case_of(ada).id}"))
    assert "Somebody spoke with them less than 7 days ago." in page


def test_a_call_the_guard_rails_speak_against_asks_first_and_is_then_kept(office, ada):
    act(office, ada, "calls", outcome="spoke")

    second = act(office, ada, "calls", outcome="no_answer")
    assert second.status_code == 422
    assert "The guard rails speak against it" in text(second)
    assert db.session.query(ContactAttempt).count() == 1
    act(office, ada, "calls", outcome="no_answer", confirmed="y")

    assert db.session.query(ContactAttempt).count() == 2


def test_pressing_twice_logs_once(office, ada):
    for _ in range(2):
        act(office, ada, "notes", note="Left a word with the office", once="same key")

    page = text(office.get(f"/staff/collections/{case_of(ada).id}"))
    assert page.count("Left a word with the office") == 1


def test_a_promise_stops_the_case_until_then(office, ada):
    on = TODAY + timedelta(days=4)

    act(office, ada, "promises", amount="100", promised_on=on.isoformat(), made_by="Ada")

    assert db.session.query(PromiseToPay).one().taken_by.name == "Administrator"
    assert "promised to pay by" in case_of(ada).waits_because
    assert "Ada Lovelace" not in text(office.get("/staff/collections?what=to_do"))
    assert "Ada Lovelace" in text(office.get("/staff/collections?what=waiting"))


def test_a_dispute_of_a_line_is_taken_off_what_is_asked_for(office, ada):
    invoice = db.session.query(Invoice).filter_by(customer_id=ada.id).one()
    line = invoice.lines[1]

    act(office, ada, "disputes", about=f"{invoice.id}.{line.id}", reason="price", words="Too dear")

    row = db.session.query(InvoiceDispute).one()
    assert (row.amount.cents, row.line_id) == (4000, line.id)
    assert case_of(ada).owed.cents == 6000
    case = case_of(ada).id
    done = office.post(
        f"/staff/collections/{case}/disputes/{row.id}/outcome",
        data={"outcome": "The price is right"},
    )
    assert done.status_code == 303
    assert case_of(ada).owed.cents == 10000


@pytest.mark.parametrize(
    ("what", "words", "sentence"),
    [
        ("promises", {"amount": "x", "promised_on": "2026-03-09"}, "Give an amount"),
        ("promises", {"amount": "10", "promised_on": "2025-01-01"}, "Choose a day from today"),
        ("disputes", {"about": "999", "reason": "price"}, "Choose one from the list"),
        ("pause", {"until": "2026-03-09"}, "Say why it is put off"),
        ("handover", {"manager_id": "1"}, "Say what the manager should decide"),
        ("notes", {"note": " "}, "Write a note"),
        (
            "flags",
            {"on_hold": "y", "version": "0", "best_way": ""},
            "Say why the account is on hold",
        ),
        ("flags", {"zone": "Mars/Base", "version": "0", "best_way": ""}, "no such time zone"),
        ("opt-outs", {"way": "sms"}, "Say who said so"),
    ],
)
def test_bad_input_is_refused_beside_the_field(office, ada, what, words, sentence):
    if what == "handover":
        words = {"manager_id": str(staff_id("administrator@acme.example"))}

    reply = act(office, ada, what, **words)

    assert reply.status_code == 422
    assert sentence in text(reply)


def staff_id(email):
    from portal.access import person_of_email

    return person_of_email(email).id


def test_a_proposal_is_decided_by_who_may_write_off(app, build, office, ada):
    collector = staff_client(app, build, "Collector")
    invoice = db.session.query(Invoice).filter_by(customer_id=ada.id).one()
    act(collector, ada, "write-off", invoice_id=str(invoice.id), because="They moved away")
    row = db.session.query(WriteOffProposal).one()

    url = f"/staff/collections/write-offs/{row.id}/approval"
    assert collector.post(url).status_code == 403
    assert "They moved away" in text(office.get("/staff/collections/write-offs"))
    office.post(url, data={"once": "a"})
    office.post(url, data={"once": "a"})
    run_waiting()

    db.session.expire_all()
    assert (row.state, row.document.kind, invoice.balance.cents) == ("approved", "write_off", 0)
    assert db.session.get(DunningCase, row.case_id).state == "closed"


def test_declining_needs_a_word_and_the_case_goes_on(office, ada):
    invoice = db.session.query(Invoice).filter_by(customer_id=ada.id).one()
    act(office, ada, "write-off", invoice_id=str(invoice.id), because="Gone")
    row = db.session.query(WriteOffProposal).one()
    url = f"/staff/collections/write-offs/{row.id}/refusal"

    assert office.post(url, data={}).status_code == 422
    assert office.post(url, data={"because": "They answered me"}).status_code == 303

    db.session.expire_all()
    assert row.state == "declined"


def test_a_collector_sees_only_assigned_accounts_where_the_rules_say_so(app, build, ada):
    collector, manager = (
        staff_client(app, build, "Collector"),
        staff_client(app, build, "Accountant"),
    )
    bob = overdue(build, 30, name="Bob Cratchit")
    hour_passes()
    assert "Bob Cratchit" in text(collector.get("/staff/collections"))
    from portal.access import person_of_email

    assign_collector([ada], person_of_email("collector@acme.example"))
    set_rules(reminders_on=False, sees_assigned_only=True)

    page = text(collector.get("/staff/collections"))
    foreign = f"/staff/collections/{case_of(bob).id}"

    assert "Ada Lovelace" in page
    assert "Bob Cratchit" not in page
    assert collector.get(f"/staff/collections/{case_of(ada).id}").status_code == 200
    for url in (foreign, f"{foreign}/calls", f"/staff/collections/of-customer/{bob.id}"):
        assert collector.get(url).status_code == 404
    assert collector.post(f"{foreign}/notes", data={"note": "x"}).status_code == 404
    assert manager.get(foreign).status_code == 200


def test_a_case_handed_over_is_the_managers_until_it_is_given_back(app, build, office, ada):
    collector = staff_client(app, build, "Collector")
    manager = str(staff_id("administrator@acme.example"))
    act(collector, ada, "handover", manager_id=manager, because="They want a discount")
    assert case_of(ada).state == "with_manager"

    assert act(collector, ada, "return", because="ok").status_code == 403
    act(office, ada, "return", because="No discount")

    assert case_of(ada).state == "open"


def test_a_stage_for_a_person_is_looked_at_and_sent_once(office, build):
    set_rules(reminders_on=False)
    bob = overdue(build, 31, name="Bob Cratchit")
    hour_passes()
    (step,) = case_of(bob).steps
    url = f"/staff/collections/{step.case_id}/steps/{step.id}"

    assert "Final notice" in text(office.get(url))
    for _ in range(2):
        office.post(f"{url}/sending", data={"once": "k"})
    assert office.post(f"{url}/sending", data={}).status_code == 422  # it is done already

    assert len(reminders()) == 1


def test_two_collectors_on_one_case_do_not_send_or_hand_over_twice(app, build, ada):
    one, two = staff_client(app, build, "Collector"), staff_client(app, build, "Office")
    manager = str(build.person("Max", role="Accountant").id)
    db.session.commit()

    first = act(one, ada, "handover", manager_id=manager, because="first")
    second = act(two, ada, "handover", manager_id=manager, because="second")

    assert (first.status_code, second.status_code) == (303, 422)
    assert case_of(ada).handed_because == "first"


def test_an_emptied_hold_lets_the_chase_go_on(office, ada):
    act(office, ada, "flags", on_hold="y", hold_because="Lawsuit", best_way="", version="0")
    run_waiting()
    assert "on hold: Lawsuit" in case_of(ada).waits_because

    act(office, ada, "flags", best_way="", version="2")
    run_waiting()

    assert case_of(ada).waits_because == ""


def test_an_unknown_action_is_not_there(office, ada):
    assert office.get(f"/staff/collections/{case_of(ada).id}/nonsense").status_code == 404


def test_looser_limits_need_an_administrator_and_a_reason(app, build, office):
    set_rules()
    accountant = staff_client(app, build, "Accountant")

    def save(browser, **words):
        data = {
            "version": str(dunning_rules().version), "days_between": "3",
            "promise_grace_days": "2", "control_percent": "10", "control_days": "30",
            "most_attempts": "7", "attempt_days": "7", "rest_days": "7", "first_hour": "8",
            "last_hour": "21", **words,
        }  # fmt: skip
        return browser.post("/staff/settings/collections/rules", data=data)

    assert save(accountant, most_attempts="3").status_code == 303  # stricter: anybody
    assert save(accountant, most_attempts="9", looser_because="x").status_code == 422
    assert save(office, most_attempts="9").status_code == 422
    assert save(office, first_hour="22").status_code == 422
    assert save(office, most_attempts="9", looser_because="Only businesses").status_code == 303
    assert dunning_rules().looser_by.startswith("Administrator")
    assert save(accountant, most_attempts="7").status_code == 303
    assert dunning_rules().looser_because == ""


def policy_form(policy, **changes):
    rows = [
        (str(one.id), str(one.days), one.action.value, one.tone.value, one.name, "yes")
        for one in stages_of(policy)
    ]
    names = ("id", "days", "action", "tone", "name", "automatic")
    columns = {
        f"stage_{name}": list(values)
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }
    return {
        "version": str(policy.version),
        "name": policy.name,
        "active": "y",
        **columns,
        **changes,
    }


def test_a_policy_keeps_its_stages_when_their_words_change(office, build):
    ensure_policy()
    db.session.commit()
    (policy,) = policies()
    before = [one.id for one in stages_of(policy)]
    form = policy_form(policy)
    form["stage_name"][1] = "A gentle word"
    form["stage_days"][-1] = ""

    reply = office.post(f"/staff/settings/collections/policies/{policy.id}", data=form)

    assert reply.status_code == 303
    db.session.expire_all()
    kept = stages_of(get_policy(policy.id))
    assert [one.id for one in kept] == before[:-1]
    assert kept[1].name == "A gentle word"


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        ("stage_days", "soon", "whole number"),
        ("stage_days", "1", "same day"),
        ("stage_days", "9999", "days after the due date"),
        ("stage_name", "", "every stage a name"),
    ],
)
def test_a_policy_with_nonsense_is_refused_and_nothing_typed_is_lost(
    office, place, value, sentence
):
    ensure_policy()
    db.session.commit()
    (policy,) = policies()
    form = policy_form(policy)
    form[place][2] = value
    form["stage_name"][4] = "Typed and kept"

    reply = office.post(f"/staff/settings/collections/policies/{policy.id}", data=form)

    assert reply.status_code == 422
    assert sentence in text(reply)
    assert "Typed and kept" in text(reply)


def test_every_new_ability_has_its_words():
    from staff.ability_words import GROUPS

    told = {ability for _name, group in GROUPS for ability, _words in group}
    assert {Ability.WORK_COLLECTIONS, Ability.MANAGE_COLLECTIONS} <= told
