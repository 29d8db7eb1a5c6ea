"""Roles the office edits: ticked in words, effective at once, and nobody lifts themselves."""

import re

import pytest

from portal.access import (
    Ability,
    PersonWords,
    RoleWords,
    add_person,
    add_role,
    change_person,
    change_role,
    ensure_roles,
    get_role,
    person_of_email,
    remove_role,
    reset_second_factor,
    roles,
)
from portal.db import db
from portal.kernel.errors import Conflict, DomainError, InvalidFields, NotAllowed
from staff.ability_words import GROUPS
from tests.conftest import staff_client

A = Ability


def role_named(name):
    return next(one for one in roles() if one.name == name)


@pytest.fixture
def desk(app):
    """A role that manages people and looks at customers, no more."""
    role = add_role(RoleWords("Desk lead", [A.MANAGE_PEOPLE, A.SEE_HOME, A.VIEW_CUSTOMERS]))
    db.session.flush()
    return role


@pytest.fixture
def lead(build, desk):
    return build.person("Lea Lead", email="deskleadx@acme.example", role="Desk lead")


def words_of(user, **changed):
    return PersonWords(**({"name": user.name, "email": user.email, "role": user.role} | changed))


def test_every_ability_is_explained_once():
    explained = [ability for _, abilities in GROUPS for ability, _ in abilities]

    assert sorted(explained) == sorted(Ability)


def test_a_role_is_added_with_ticks_and_told(office):
    data = {"name": "Cashier", "abilities": [A.SELL_AT_COUNTER, A.VIEW_PAYMENTS]}

    assert office.post("/staff/roles", data=data).status_code == 303

    role = role_named("Cashier")
    assert role.abilities == sorted([A.SELL_AT_COUNTER, A.VIEW_PAYMENTS])
    page = office.get(f"/staff/roles/{role.id}").text
    assert "Role Cashier was added." in page
    assert re.search(r'value="sell at counter" checked', page)
    assert not re.search(r'value="write off" checked', page)


def test_a_change_holds_from_the_next_request(app, build, office):
    browser = staff_client(app, build, "Collector")
    assert browser.get("/staff/periods").status_code == 200
    role = role_named("Collector")
    left = [one for one in role.abilities if one != A.VIEW_LEDGER]
    data = {"version": role.version, "name": "Collector", "abilities": left}

    assert office.post(f"/staff/roles/{role.id}", data=data).status_code == 303

    assert browser.get("/staff/periods").status_code == 403
    page = office.get(f"/staff/roles/{role.id}").text
    assert "may: <del>view ledger</del> → <ins>—</ins>" in page


def test_the_copy_of_a_role_comes_ticked_like_it(office):
    role = role_named("Technician")

    page = office.get(f"/staff/roles/new?copy={role.id}").text

    assert 'value="Copy of Technician"' in page
    assert len(re.findall(r" checked", page)) == len(role.abilities)


def test_a_role_is_renamed_but_never_to_a_name_that_is_taken(office):
    role = role_named("Office")
    change_role(role, RoleWords("Front desk", role.abilities), version=role.version)

    assert role_named("Front desk") is role
    for name in ("", "accountant"):
        with pytest.raises(InvalidFields):
            change_role(role, RoleWords(name, role.abilities), version=role.version)


def test_two_who_save_a_role_at_once_are_told(office):
    role = role_named("Office")
    with pytest.raises(Conflict):
        change_role(role, RoleWords("Front desk", []), version=role.version - 1)

    data = {"version": role.version - 1, "name": "Front desk", "abilities": [A.SEE_HOME]}
    reply = office.post(f"/staff/roles/{role.id}", data=data)

    assert reply.status_code == 422
    assert "Saved now: Office" in reply.text
    assert 'value="Front desk"' in reply.text


def test_the_administrator_may_always_do_everything(office):
    role = role_named("Administrator")

    for change in ({"name": "Boss", "abilities": list(A)}, {"name": "Administrator"}):
        reply = office.post(f"/staff/roles/{role.id}", data={"version": role.version} | change)
        assert "so that nobody is locked out" in reply.text
    with pytest.raises(DomainError, match="locked out"):
        remove_role(role)

    assert set(get_role(role.id).abilities) == set(A)


def test_the_technician_may_do_other_things_but_keeps_the_name(app):
    role = role_named("Technician")
    change_role(role, RoleWords("Technician", [A.SEE_HOME]), version=role.version)
    db.session.flush()

    with pytest.raises(DomainError, match="keeps its name"):
        change_role(role, RoleWords("Plumber", []), version=role.version)
    with pytest.raises(DomainError, match="stays"):
        remove_role(role)


def test_a_role_somebody_has_is_not_deleted_and_says_who(office, build):
    build.person("Cole Collector", role="Collector")
    role = role_named("Collector")

    reply = office.post(f"/staff/roles/{role.id}/removal", follow_redirects=True)

    assert "Cole Collector still has this role. Give them another one first." in reply.text
    assert role_named("Collector")


def test_a_role_nobody_has_is_deleted_and_does_not_come_back(office):
    office.post(f"/staff/roles/{role_named('Read-only').id}/removal")
    ensure_roles()

    assert "Read-only" not in [one.name for one in roles()]


def test_nobody_gives_a_role_what_they_may_not_do(lead, desk):
    with pytest.raises(NotAllowed, match="write off"):
        add_role(RoleWords("Bigger", [A.WRITE_OFF]), by=lead)
    with pytest.raises(NotAllowed, match="write off"):
        change_role(
            desk, RoleWords("Desk lead", [*desk.abilities, A.WRITE_OFF]), version=1, by=lead
        )


def test_nobody_changes_or_deletes_a_role_above_their_own(lead):
    role = role_named("Accountant")

    with pytest.raises(NotAllowed, match="more than you"):
        change_role(role, RoleWords("Accountant", []), version=role.version, by=lead)
    with pytest.raises(DomainError, match="more than you"):
        remove_role(role, by=lead)


def test_nobody_lifts_themselves_or_others_above_themselves(lead, build):
    admin = role_named("Administrator")
    colleague = build.person("Cora", role="Desk lead")

    for user in (lead, colleague):
        with pytest.raises(NotAllowed, match="may not give"):
            change_person(user, words_of(user, role=admin), version=user.version, by=lead)
    with pytest.raises(NotAllowed, match="may not give"):
        add_person(PersonWords("Eve", "eve@acme.example", admin), by=lead)


def test_nobody_takes_over_the_account_of_somebody_who_may_do_more(app, build, lead):
    boss = build.person("Bo Boss", email="bo@acme.example", password="correct horse battery")
    before = boss.password_hash
    browser = staff_client(app, build, "Desk lead")
    data = {"version": boss.version, "name": "Bo", "email": "eve@acme.example",
            "role_id": boss.role_id, "active": "y", "password": "another long one"}  # fmt: skip

    reply = browser.post(f"/staff/people/{boss.id}", data=data)

    assert reply.status_code == 422
    assert "Bo Boss may do more than you." in reply.text
    assert (boss.email, boss.password_hash) == ("bo@acme.example", before)
    with pytest.raises(NotAllowed):
        reset_second_factor(boss, by=lead)


def test_what_one_may_not_do_oneself_cannot_be_ticked(app, build, lead):
    page = staff_client(app, build, "Desk lead").get("/staff/roles/new").text

    assert re.search(r'value="write off" disabled', page)
    assert re.search(r'value="view customers">', page)


def test_somebody_who_can_manage_people_always_stays(office):
    user = person_of_email("administrator@acme.example")
    data = {"version": user.version, "name": user.name, "email": user.email,
            "role_id": role_named("Office").id, "active": "y"}  # fmt: skip

    reply = office.post(f"/staff/people/{user.id}", data=data)

    assert "Somebody must stay administrator." in reply.text


def test_the_page_of_a_person_tells_the_old_and_the_new_role(office, build):
    user = build.person("Nora", email="nora@acme.example", role="Office")
    data = {"version": user.version, "name": user.name, "email": user.email,
            "role_id": role_named("Collector").id, "active": "y"}  # fmt: skip

    office.post(f"/staff/people/{user.id}", data=data)

    page = office.get(f"/staff/people/{user.id}").text
    assert "role: <del>Office</del> → <ins>Collector</ins>" in page
