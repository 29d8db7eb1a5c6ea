"""Ways back in without the phone, and who may change how one signs in."""

import re

import pyotp
import pytest
import sqlalchemy as sa

from portal.access import (
    begin_second_factor,
    confirm_second_factor,
    make_recovery_codes,
    person_of_email,
    recovery_codes_left,
)
from portal.access.passwords import hash_password
from portal.db import db
from portal.kernel import clock
from portal.models import AuditEntry, RecoveryCode, SignIn

ADMIN, SECRET = "administrator@acme.example", "a long password"


def code_of(user):
    return pyotp.TOTP(user.totp_secret).at(clock.now())


def guarded(user, browser=None):
    """A person with a password and a second factor in force; the recovery codes."""
    user.password_hash = hash_password(SECRET)
    begin_second_factor(user, issuer="Acme")
    here = browser.get_cookie("fieldledger_staff").value if browser else ""
    confirm_second_factor(user, code_of(user), keep_token=here)
    codes = make_recovery_codes(user)
    user.totp_last_step = 0
    db.session.commit()
    return codes


@pytest.fixture
def admin(office):
    return person_of_email(ADMIN)


def sign_in(client, code):
    client.post("/staff/sign-in", data={"email": ADMIN, "password": SECRET})
    return client.post("/staff/sign-in/code", data={"code": code})


def test_ten_codes_are_shown_once_when_the_second_factor_goes_on(office, admin):
    office.post("/staff/account/second-factor/begin")

    page = office.post("/staff/account/second-factor", data={"code": code_of(admin)})

    codes = re.findall(r"<code>([a-z0-9-]+)</code>", page.text)
    assert len(set(codes)) == 10
    assert page.headers["Cache-Control"] == "no-store"
    stored = db.session.scalars(sa.select(RecoveryCode.code_hash)).all()
    assert not set(codes) & set(stored)
    assert codes[0] not in office.get("/staff/account").text


def test_a_recovery_code_lets_in_once(client, admin):
    codes = guarded(admin)

    assert sign_in(client, codes[0]).status_code == 303
    again = sign_in(client, codes[0])

    assert again.status_code == 422
    db.session.expire_all()
    assert recovery_codes_left(admin) == 9
    verbs = db.session.scalars(sa.select(AuditEntry.verb)).all()
    assert "recovery code used" in verbs


def test_a_recovery_code_may_be_typed_as_people_copy_it(client, admin):
    codes = guarded(admin)

    assert sign_in(client, f" {codes[1].upper().replace('-', ' ')} ").status_code == 303


def test_somebody_elses_recovery_code_is_worth_nothing(client, admin, build):
    guarded(admin)
    other = build.person("Otto")
    begin_second_factor(other, issuer="Acme")
    confirm_second_factor(other, code_of(other))
    theirs = make_recovery_codes(other)
    db.session.commit()

    assert sign_in(client, theirs[0]).status_code == 422


def test_guessing_recovery_codes_is_throttled(client, admin):
    guarded(admin)
    client.post("/staff/sign-in", data={"email": ADMIN, "password": SECRET})

    answers = [
        client.post("/staff/sign-in/code", data={"code": f"{n:012}"}).status_code for n in range(11)
    ]

    assert answers == [422] * 10 + [429]


def test_few_codes_left_are_told(client, admin):
    codes = guarded(admin)
    for code in codes[:8]:
        sign_in(client, code)

    assert "You have 2 recovery codes left" in client.get("/staff/").text


def test_new_codes_replace_the_old(office, admin, client):
    old = guarded(admin, office)

    page = office.post(
        "/staff/account/second-factor/codes", data={"current": SECRET, "code": code_of(admin)}
    )

    assert page.status_code == 200
    assert sign_in(client, old[0]).status_code == 422
    new = re.findall(r"<code>([a-z0-9-]+)</code>", page.text)
    assert sign_in(client, new[0]).status_code == 303


@pytest.mark.parametrize(
    ("current", "code", "sentence"),
    [("wrong", None, "This is not your password."), (SECRET, "000000", "does not fit")],
)
@pytest.mark.parametrize("verb", ["codes", "off"])
def test_changing_the_second_factor_takes_password_and_code(
    office, admin, verb, current, code, sentence
):
    guarded(admin, office)

    form = {"current": current, "code": code or code_of(admin)}
    page = office.post(f"/staff/account/second-factor/{verb}", data=form)

    assert page.status_code == 422
    assert sentence in page.text
    db.session.expire_all()
    assert (admin.has_second_factor, recovery_codes_left(admin)) == (True, 10)


def test_it_can_be_turned_off(office, admin, client):
    codes = guarded(admin, office)

    form = {"current": SECRET, "code": codes[0]}
    assert office.post("/staff/account/second-factor/off", data=form).status_code == 303

    db.session.expire_all()
    assert (admin.totp_secret, recovery_codes_left(admin)) == ("", 0)
    reply = client.post("/staff/sign-in", data={"email": ADMIN, "password": SECRET})
    assert reply.location == "/staff/"


def test_an_administrator_lets_somebody_in_who_lost_everything(office, build):
    other = build.person("Otto", email="otto@acme.example", role="Office", password=SECRET)
    begin_second_factor(other, issuer="Acme")
    confirm_second_factor(other, code_of(other))
    from portal.access import sign_in_user

    sign_in_user(other, ip="", agent="")
    db.session.commit()

    office.post(f"/staff/people/{other.id}/second-factor/reset")

    db.session.expire_all()
    assert not other.has_second_factor
    open_ones = sa.select(SignIn).where(SignIn.user_id == other.id, SignIn.ended_at.is_(None))
    assert db.session.scalars(open_ones).all() == []


def test_a_new_password_needs_the_old_one(office, admin, client):
    admin.password_hash = hash_password(SECRET)
    db.session.commit()
    new = "a brand new password"

    refused = office.post("/staff/account/password", data={"current": "wrong", "password": new})
    done = office.post("/staff/account/password", data={"current": SECRET, "password": new})

    assert (refused.status_code, done.status_code) == (422, 303)
    assert "This is not your password." in refused.text
    reply = client.post("/staff/sign-in", data={"email": ADMIN, "password": new})
    assert reply.status_code == 303
