"""One's own account and the people of the office."""

import threading
from contextlib import suppress
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa

from portal.access import (
    PersonWords,
    TooManyTries,
    begin_second_factor,
    change_person,
    count_try,
    person_of_email,
    roles,
    set_password,
    sign_in_user,
)
from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import Role, SignIn, User
from tests.conftest import MONDAY, staff_client

ADMIN, COOKIE = "administrator@acme.example", "fieldledger_staff"


def code_of(user):
    return pyotp.TOTP(user.totp_secret).at(clock.now())


def person_words(user=None, **words):
    """A sent form of the person's screen."""
    wanted = words.pop("role", "Office")
    role = next(one for one in roles() if one.name == wanted)
    sent = {"name": "Nora New", "email": "nora@acme.example", "role_id": role.id, "active": "y"}
    if user is not None:
        sent |= {"name": user.name, "email": user.email, "version": user.version}
    return {key: value for key, value in (sent | words).items() if value is not None}


def test_scanning_and_typing_the_code_turns_the_second_factor_on(office):
    office.post("/staff/account/second-factor/begin")
    user = person_of_email(ADMIN)
    assert not user.has_second_factor  # not before the code was typed

    reply = office.post("/staff/account/second-factor", data={"code": code_of(user)})

    assert "Recovery codes" in reply.text
    assert user.has_second_factor


def test_a_wrong_code_leaves_the_second_factor_off(office):
    office.post("/staff/account/second-factor/begin")

    reply = office.post("/staff/account/second-factor", data={"code": "12345"})

    assert reply.status_code == 422
    assert "This code does not fit" in reply.text
    assert not person_of_email(ADMIN).has_second_factor


def test_nothing_is_confirmed_that_was_never_set_up(office):
    reply = office.post("/staff/account/second-factor", data={"code": "123456"})

    assert reply.status_code == 422
    assert not person_of_email(ADMIN).has_second_factor


def test_a_secret_in_force_is_never_shown_again(office):
    user = person_of_email(ADMIN)
    begin_second_factor(user, issuer="Acme")
    user.totp_confirmed_at = MONDAY

    reply = office.post("/staff/account/second-factor/begin")

    assert reply.status_code == 422
    assert user.totp_secret not in reply.text


def test_a_short_password_is_refused_beside_its_field(office):
    reply = office.post("/staff/account/password", data={"password": "short"})

    assert reply.status_code == 422
    assert "Use at least 10 characters." in reply.text


def test_a_new_password_works_from_now_on(office, client):
    office.post("/staff/account/password", data={"password": "a brand new one"})

    reply = client.post("/staff/sign-in", data={"email": ADMIN, "password": "a brand new one"})
    assert reply.status_code == 303


def test_another_browser_of_mine_can_be_signed_out(app, build, office):
    other = staff_client(app, build, "Administrator")
    theirs = db.session.scalars(sa.select(SignIn.id).order_by(SignIn.id.desc())).first()

    assert "Where you are signed in" in office.get("/staff/account").text
    assert office.post(f"/staff/account/sign-ins/{theirs}/end").status_code == 303

    assert other.get("/staff/").status_code == 303
    assert office.get("/staff/").status_code == 200


def test_a_person_is_added_with_a_role_and_a_password(office, client):
    reply = office.post("/staff/people", data=person_words(password="long enough one"))

    assert reply.status_code == 303
    sent = {"email": "nora@acme.example", "password": "long enough one"}
    assert client.post("/staff/sign-in", data=sent).status_code == 303
    assert "Nora New" in office.get("/staff/people").text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"name": ""}, "Give the person a name."),
        ({"email": "nora"}, "Give an email address"),
        ({"email": ADMIN}, "Somebody else already has this email address."),
        ({"password": "short"}, "Use at least 10 characters."),
    ],
)
def test_a_person_who_does_not_fit_is_refused_and_nothing_is_kept(office, words, sentence):
    reply = office.post("/staff/people", data=person_words(**words))

    assert reply.status_code == 422
    assert sentence in reply.text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(User)) == 1


@pytest.mark.parametrize("change", [{"role": "Office"}, {"role": "Administrator", "active": None}])
def test_the_last_administrator_stays(office, change):
    user = person_of_email(ADMIN)

    reply = office.post(f"/staff/people/{user.id}", data=person_words(user, **change))

    assert reply.status_code == 422
    assert "Somebody must stay administrator." in reply.text
    assert user.active
    assert user.role.name == "Administrator"


def test_deactivating_a_person_ends_their_sign_ins(app, build, office):
    theirs = staff_client(app, build, "Office")
    user = person_of_email("office@acme.example")

    reply = office.post(f"/staff/people/{user.id}", data=person_words(user, active=None))

    assert reply.status_code == 303
    assert theirs.get("/staff/").status_code == 303
    open_ones = sa.select(SignIn).where(SignIn.user_id == user.id, SignIn.ended_at.is_(None))
    assert db.session.scalars(open_ones).all() == []


def test_a_new_role_counts_at_the_next_click(app, build, office):
    theirs = staff_client(app, build, "Office")
    user = person_of_email("office@acme.example")
    assert theirs.get("/staff/customers/new").status_code == 200

    reply = office.post(f"/staff/people/{user.id}", data=person_words(user, role="Read-only"))

    assert reply.status_code == 303
    assert user.role.name == "Read-only"

    assert theirs.get("/staff/customers/new").status_code == 403


def test_two_who_save_the_same_person_do_not_overwrite_each_other(build, office):
    user = build.person("Rita", role="Office")
    db.session.commit()
    stale = person_words(user, name="Rita One")
    office.post(f"/staff/people/{user.id}", data=person_words(user, name="Rita Two"))

    reply = office.post(f"/staff/people/{user.id}", data=stale)

    assert reply.status_code in (409, 422)
    assert user.name == "Rita Two"


def test_an_ended_week_leaves_no_open_sign_in_to_show(office):
    user = person_of_email(ADMIN)
    with clock.frozen(MONDAY - timedelta(days=8)):
        sign_in_user(user, ip="10.0.0.7", agent="forgotten")

    assert "forgotten" not in office.get("/staff/account").text


OWN = "a long password"


@pytest.fixture
def with_password(office):
    set_password(person_of_email(ADMIN), OWN, keep_token=office.get_cookie(COOKIE).value)
    db.session.commit()
    return person_of_email(ADMIN)


def test_beginning_a_second_factor_takes_the_password(office, with_password):
    refused = office.post("/staff/account/second-factor/begin", data={"current": "guess guess"})

    assert refused.status_code == 422
    assert "This is not your password." in refused.text
    assert with_password.totp_secret == ""


def test_confirming_a_second_factor_takes_the_password(office, with_password):
    office.post("/staff/account/second-factor/begin", data={"current": OWN})

    refused = office.post("/staff/account/second-factor", data={"code": code_of(with_password)})
    assert refused.status_code == 422
    assert not with_password.has_second_factor

    words = {"code": code_of(with_password), "current": OWN}
    assert office.post("/staff/account/second-factor", data=words).status_code == 200
    assert with_password.has_second_factor


def test_a_secret_shown_earlier_is_not_used_again(office):
    office.post("/staff/account/second-factor/begin")
    seen = person_of_email(ADMIN).totp_secret

    office.post("/staff/account/second-factor/begin")

    assert person_of_email(ADMIN).totp_secret != seen


def test_turning_the_second_factor_on_signs_the_other_browsers_out(app, build, office):
    other = staff_client(app, build, "Administrator")
    office.post("/staff/account/second-factor/begin")

    office.post("/staff/account/second-factor", data={"code": code_of(person_of_email(ADMIN))})

    assert other.get("/staff/").status_code == 303
    assert office.get("/staff/").status_code == 200


def test_no_role_is_chosen_for_a_new_person(office):
    page = office.get("/staff/people/new").text
    assert '<option selected value="">Choose a role</option>' in page

    refused = office.post("/staff/people", data=person_words(role_id=""))

    assert refused.status_code == 422
    assert "Choose what this person may do." in refused.text


def test_a_technician_works_on_jobs_without_a_tick(office):
    office.post("/staff/people", data=person_words(role="Technician"))

    assert person_of_email("nora@acme.example").is_technician
    assert "Always so for the role Technician." in office.get("/staff/people/new").text


@pytest.mark.concurrency
def test_two_administrators_who_step_down_at_once_do_not_both_succeed(app, build):
    ids = build.person("Ann", email="ann@x.org").id, build.person("Ben", email="ben@x.org").id
    office_id = next(one.id for one in roles() if one.name == "Office")
    db.session.commit()
    gate, told = threading.Barrier(2), []

    def step_down(user_id):
        with app.app_context():
            user, role = db.session.get(User, user_id), db.session.get(Role, office_id)
            words = PersonWords(user.name, user.email, role)
            gate.wait(10)
            try:
                change_person(user, words, version=user.version)
                db.session.commit()
            except DomainError as refused:
                told.append(str(refused))
            db.session.remove()

    threads = [threading.Thread(target=step_down, args=(one,)) for one in ids]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert told == ["Somebody must stay administrator. Name another one first."]


@pytest.mark.concurrency
def test_tries_made_at_once_are_all_counted(app):
    gate, let_in = threading.Barrier(16), []

    def one_try():
        with app.app_context():
            gate.wait(10)
            with suppress(TooManyTries):
                count_try("second factor", "1", limit=10, minutes=15)
                let_in.append(1)
            db.session.remove()

    db.session.remove()
    threads = [threading.Thread(target=one_try) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(let_in) == 10


def test_the_page_of_a_person_tells_when_they_came_and_who_failed(client, build, office):
    user = build.person("Olive", email="olive@acme.example", password=OWN)
    for password in ("wrong horse", OWN):
        sent = {"email": "olive@acme.example", "password": password}
        client.post("/staff/sign-in", data=sent)

    page = office.get(f"/staff/people/{user.id}").text

    assert "Somebody tried to sign in as Olive from 127.0.0.1: a wrong password." in page
    assert "Olive signed in from 127.0.0.1." in page
