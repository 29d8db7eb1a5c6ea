"""Signing in to the office, staying signed in, and being thrown out."""

from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher, Type

from portal.access import (
    begin_second_factor,
    confirm_second_factor,
    passwords,
    set_password,
    staff_link,
)
from portal.db import db
from portal.kernel import clock
from portal.models import AuditEntry, SignIn, Throttle
from tests.conftest import MONDAY, staff_client

SECRET = "correct horse battery"
MISFIT = "Email and password do not fit."


@pytest.fixture
def olive(build):
    return build.person(email="olive@acme.example", password=SECRET)


def sign_in(client, *, email="olive@acme.example", password=SECRET, goes_to=""):
    data = {"email": email, "password": password}
    return client.post(f"/staff/sign-in{goes_to}", data=data)


def code_of(user, *, later=0):
    step = int(clock.now().timestamp()) // 30 + later
    return pyotp.TOTP(user.totp_secret).generate_otp(step)


@pytest.fixture
def two_factors(olive):
    begin_second_factor(olive, issuer="Acme")
    confirm_second_factor(olive, code_of(olive, later=-1))
    return olive


def test_email_and_password_open_the_office(client, olive):
    reply = sign_in(client, email=" Olive@ACME.example ")

    assert (reply.status_code, reply.location) == (303, "/staff/")
    assert client.get("/staff/").status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"password": "wrong horse"}, {"email": "nobody@acme.example"}, {"password": ""}]
)
def test_a_wrong_password_and_an_unknown_person_look_the_same(client, olive, wrong):
    reply = sign_in(client, **wrong)

    assert reply.status_code == 422
    assert MISFIT in reply.text
    assert "Set-Cookie" not in reply.headers or "fieldledger_staff" not in str(reply.headers)


def test_someone_without_a_password_cannot_sign_in_with_an_empty_one(client, build):
    build.person(email="new@acme.example")
    assert sign_in(client, email="new@acme.example", password="").status_code == 422


def test_the_password_is_kept_as_argon2id(olive):
    assert olive.password_hash.startswith("$argon2id$")
    assert SECRET not in olive.password_hash


def test_a_password_costs_a_guesser_memory_and_time(real_hasher):
    assert real_hasher.type is Type.ID
    assert real_hasher.memory_cost >= 64 * 1024  # KiB, RFC 9106 for machines with little memory
    assert real_hasher.time_cost >= 3


def test_a_weak_old_hash_is_made_anew_at_sign_in(client, olive, monkeypatch, real_hasher):
    monkeypatch.setattr(passwords, "_hasher", real_hasher)
    olive.password_hash = old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(
        SECRET
    )

    assert sign_in(client).status_code == 303
    assert olive.password_hash != old


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(client, olive):
    cookie = next(
        one for one in sign_in(client).headers.getlist("Set-Cookie") if "fieldledger_staff" in one
    )
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_every_sign_in_has_a_token_of_its_own(client, olive):
    sign_in(client)
    first = client.get_cookie("fieldledger_staff").value
    sign_in(client)

    assert client.get_cookie("fieldledger_staff").value != first


@pytest.mark.parametrize(("idle", "status"), [(11, 200), (13, 303)])
def test_a_browser_left_alone_for_half_a_day_is_signed_out(client, olive, idle, status):
    sign_in(client)
    with clock.frozen(MONDAY + timedelta(hours=idle)):
        assert client.get("/staff/").status_code == status


def test_use_keeps_a_sign_in_alive_but_not_longer_than_a_week(client, olive):
    sign_in(client)
    for hours in range(10, 7 * 24, 10):
        with clock.frozen(MONDAY + timedelta(hours=hours)):
            assert client.get("/staff/").status_code == 200
    with clock.frozen(MONDAY + timedelta(days=7, minutes=1)):
        assert client.get("/staff/").status_code == 303


def test_seeing_a_page_again_within_five_minutes_writes_nothing(client, olive):
    sign_in(client)
    with clock.frozen(MONDAY + timedelta(minutes=4)):
        client.get("/staff/")

    assert db.session.scalars(sa.select(SignIn)).one().last_seen_at == MONDAY


def test_ten_wrong_passwords_close_the_door_for_a_while(client, olive):
    for _ in range(10):
        assert sign_in(client, password="wrong horse").status_code == 422

    refused = sign_in(client)

    assert refused.status_code == 429
    assert "Too many tries. Please wait 15 minutes" in refused.text
    with clock.frozen(MONDAY + timedelta(minutes=16)):
        assert sign_in(client).status_code == 303


def test_tries_on_unknown_people_are_counted_the_same(client):
    for _ in range(10):
        sign_in(client, email="nobody@acme.example", password="guess guess")

    assert sign_in(client, email="nobody@acme.example").status_code == 429


def test_one_address_cannot_try_all_people(client, olive, app):
    db.session.add_all(Throttle(scope="staff sign-in ip", key="127.0.0.1") for _ in range(50))

    assert sign_in(client).status_code == 429
    assert sign_in_from(app, "127.0.0.9").status_code == 303


def sign_in_from(app, ip):
    data = {"email": "olive@acme.example", "password": SECRET}
    return app.test_client().post(
        "/staff/sign-in", data=data, environ_overrides={"REMOTE_ADDR": ip}
    )


def test_after_signing_in_one_lands_where_one_wanted(client, olive):
    goes_to = "?next=/staff/invoices?state=draft"
    assert sign_in(client, goes_to=goes_to).location == "/staff/invoices?state=draft"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/staff/",
        "/staff//evil",
        "javascript:1",
        "/staff/%0d%0aSet-Cookie:x=1",
        "/staff/%09",
        "/staff/%5Cevil.example",
    ],
)
def test_the_sign_in_never_leads_to_another_site(client, olive, target):
    assert sign_in(client, goes_to=f"?next={target}").location == "/staff/"


def test_a_deactivated_person_is_out_at_once(client, olive, app, build):
    build.person("Anna Admin", email="anna@acme.example")
    sign_in(client)
    olive.active = False

    assert client.get("/staff/").status_code == 303
    assert sign_in(app.test_client()).status_code == 422


def test_a_printed_link_signs_in_once(client, olive, app):
    token = staff_link(olive)

    assert client.get(f"/staff/sign-in/link/{token}").status_code == 200
    assert client.get("/staff/").status_code == 303  # looking changes nothing
    assert client.post(f"/staff/sign-in/link/{token}").location == "/staff/"
    second = app.test_client().post(f"/staff/sign-in/link/{token}")

    assert client.get("/staff/").status_code == 200
    assert second.status_code == 422
    assert "already used" in second.text


def test_a_staff_link_is_no_customer_link(client, olive):
    assert client.post(f"/my/sign-in/link/{staff_link(olive)}").status_code == 422


def test_with_a_second_factor_the_password_alone_opens_nothing(client, two_factors):
    reply = sign_in(client)

    assert reply.location.startswith("/staff/sign-in/code")
    assert client.get("/staff/").status_code == 303

    done = client.post("/staff/sign-in/code", data={"code": code_of(two_factors)})
    assert done.location == "/staff/"
    assert client.get("/staff/").status_code == 200


def test_a_printed_link_asks_for_the_second_factor_too(client, two_factors):
    reply = client.post(f"/staff/sign-in/link/{staff_link(two_factors)}")

    assert reply.location == "/staff/sign-in/code"
    assert client.get("/staff/").status_code == 303


def test_a_code_works_once(client, app, two_factors):
    code = code_of(two_factors)
    sign_in(client)
    client.post("/staff/sign-in/code", data={"code": code})
    other = app.test_client()
    sign_in(other)

    again = other.post("/staff/sign-in/code", data={"code": code})

    assert again.status_code == 422
    assert "already used" in again.text


def test_codes_cannot_be_guessed(client, two_factors):
    sign_in(client)
    for _ in range(10):
        client.post("/staff/sign-in/code", data={"code": "000000"})

    refused = client.post("/staff/sign-in/code", data={"code": code_of(two_factors)})

    assert refused.status_code == 429


def test_a_password_typed_long_ago_no_longer_waits_for_its_code(client, two_factors):
    sign_in(client)
    with clock.frozen(MONDAY + timedelta(minutes=11)):
        reply = client.post("/staff/sign-in/code", data={"code": code_of(two_factors)})

        assert reply.location == "/staff/sign-in"
        assert client.get("/staff/").status_code == 303


def test_the_code_page_without_a_password_leads_back(client):
    reply = client.post("/staff/sign-in/code", data={"code": "123456"})
    assert reply.location == "/staff/sign-in"


def test_a_code_belongs_to_its_person_and_not_to_somebody_without_one(app, build, two_factors):
    browser = staff_client(app, build, "Office")

    reply = browser.post("/staff/account/second-factor", data={"code": code_of(two_factors)})

    assert reply.status_code == 422


def wrong_tries(app, ip, times):
    for _ in range(times):
        app.test_client().post(
            "/staff/sign-in",
            data={"email": "olive@acme.example", "password": "wrong horse"},
            environ_overrides={"REMOTE_ADDR": ip},
        )


def test_a_stranger_cannot_lock_somebody_out_who_is_elsewhere(app, olive):
    wrong_tries(app, "203.0.113.9", 11)

    assert sign_in_from(app, "203.0.113.9").status_code == 429
    assert sign_in_from(app, "198.51.100.7").status_code == 303


def test_a_household_with_many_addresses_counts_as_one(app, olive):
    for last in range(11):
        wrong_tries(app, f"2001:db8:1:2::{last}", 1)

    assert sign_in_from(app, "2001:db8:1:2::ffff").status_code == 429
    assert sign_in_from(app, "2001:db8:1:3::1").status_code == 303


def test_many_addresses_together_cannot_guess_without_end(app, olive):
    db.session.add_all(
        Throttle(scope="staff sign-in person", key="olive@acme.example") for _ in range(100)
    )

    assert sign_in_from(app, "198.51.100.7").status_code == 429


def test_a_half_sign_in_ends_with_the_password_it_was_begun_with(client, two_factors):
    sign_in(client)
    set_password(two_factors, "another long password")
    db.session.commit()

    reply = client.post("/staff/sign-in/code", data={"code": code_of(two_factors)})

    assert reply.location == "/staff/sign-in"
    assert client.get("/staff/").status_code == 303


def test_a_half_sign_in_ends_when_the_person_is_deactivated(client, build, two_factors):
    build.person("Anna Admin", email="anna@acme.example")
    sign_in(client)
    two_factors.active = False

    client.post("/staff/sign-in/code", data={"code": code_of(two_factors)})

    assert client.get("/staff/").status_code == 303


def trail():
    entries = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    return [(one.verb, one.actor, one.sentence) for one in entries if "sign" in one.verb]


def test_coming_failing_and_going_are_in_the_trail(client, olive):
    me = f"{olive.name} (staff {olive.id})"
    sign_in(client, password="wrong horse")
    sign_in(client)
    client.post("/staff/sign-in/out")

    failed = f"Somebody tried to sign in as {olive.name} from 127.0.0.1: a wrong password."
    assert trail() == [
        ("sign-in failed", "system", failed),
        ("signed in", me, f"{olive.name} signed in from 127.0.0.1."),
        ("signed out", me, f"{olive.name} signed a browser out."),
    ]


def test_a_strangers_try_is_in_the_trail_without_what_was_typed(client):
    sign_in(client, email="my-password-in-the-wrong-field", password="x")

    ((verb, _actor, sentence),) = trail()
    assert verb == "sign-in failed"
    assert "my-password" not in sentence


def test_a_wrong_code_is_in_the_trail(client, two_factors):
    sign_in(client)
    client.post("/staff/sign-in/code", data={"code": "000000"})

    assert trail()[-1][2].endswith("from 127.0.0.1: a wrong code.")
