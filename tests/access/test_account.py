"""One's own account and the people of the office."""

from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa

from portal.access import begin_second_factor, person_of_email, roles, sign_in_user
from portal.db import db
from portal.kernel import clock
from portal.models import SignIn, User
from tests.conftest import MONDAY, staff_client

ADMIN = "administrator@acme.example"


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
