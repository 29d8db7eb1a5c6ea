"""Passwords, links, second factors, throttles and sessions."""

from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa

from portal.access import (
    begin_second_factor,
    check_code,
    confirm_second_factor,
    consume_link,
    customer_link,
    find_link,
    request_customer_link,
    token_of_seed,
)
from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import Message, SignIn, User
from tests.conftest import payer_client, staff_client

PASSWORD = "correct horse battery"


def sign_in(client, email, password):
    return client.post("/staff/sign-in", data={"email": email, "password": password})


def test_a_password_signs_in_and_the_token_is_stored_hashed(client, build):
    build.person(email="olive@acme.example", password=PASSWORD)

    reply = sign_in(client, "Olive@acme.example ", PASSWORD)

    assert reply.status_code == 303
    cookie = client.get_cookie("fieldledger_staff")
    assert cookie.http_only
    assert db.session.scalars(sa.select(SignIn)).one().token_hash != cookie.value
    assert client.get("/staff/").status_code == 200


@pytest.mark.parametrize("email", ["olive@acme.example", "nobody@acme.example"])
def test_wrong_and_unknown_get_the_same_answer(client, build, email):
    build.person(email="olive@acme.example", password=PASSWORD)
    reply = sign_in(client, email, "wrong")
    assert reply.status_code == 422
    assert "Email and password do not fit." in reply.text


def test_ten_wrong_tries_are_enough(client, build):
    for _ in range(10):
        sign_in(client, "olive@acme.example", "wrong")
    reply = sign_in(client, "olive@acme.example", "wrong")
    assert reply.status_code == 429
    assert "Too many tries" in reply.text


def test_signing_out_ends_the_session_on_the_server(app, build):
    browser = staff_client(app, build, "Administrator")
    token = browser.get_cookie("fieldledger_staff").value
    assert browser.get("/staff/").status_code == 200

    browser.post("/staff/sign-in/out")
    browser.set_cookie("fieldledger_staff", token)

    assert browser.get("/staff/").status_code == 303


def test_an_idle_session_ends_by_itself(app, build, monday):
    browser = staff_client(app, build, "Administrator")
    with clock.frozen(monday + timedelta(hours=13)):
        assert browser.get("/staff/").status_code == 303


def test_a_code_of_the_app_works_once(build):
    user = build.person(email="olive@acme.example")
    begin_second_factor(user, issuer="Acme")
    totp = pyotp.TOTP(user.totp_secret)
    code = totp.at(clock.now())

    confirm_second_factor(user, code)

    assert not check_code(user, code)
    assert not check_code(user, "000000")


def test_a_second_factor_is_asked_for(client, build):
    user = build.person(email="olive@acme.example", password=PASSWORD)
    begin_second_factor(user, issuer="Acme")
    user.totp_confirmed_at = clock.now()

    reply = sign_in(client, "olive@acme.example", PASSWORD)

    assert reply.location.startswith("/staff/sign-in/code")
    assert client.get("/staff/").status_code == 303
    code = pyotp.TOTP(db.session.scalars(sa.select(User)).one().totp_secret).at(clock.now())
    client.post("/staff/sign-in/code", data={"code": code})
    assert client.get("/staff/").status_code == 200


def test_a_customer_link_is_mailed_only_to_known_addresses_with_one_answer(client, build):
    build.customer("Ada", email="ada@example.org")

    known = client.post("/my/sign-in", data={"email": "ada@example.org"})
    unknown = client.post("/my/sign-in", data={"email": "eve@example.org"})

    assert known.text.replace("ada@", "x@") == unknown.text.replace("eve@", "x@")
    assert [one.recipient for one in db.session.scalars(sa.select(Message))] == ["ada@example.org"]


def test_looking_at_a_link_changes_nothing_and_pressing_uses_it_up(client, build):
    build.customer("Ada", email="ada@example.org")
    token = customer_link("ada@example.org")

    for _ in range(3):
        assert "Continue" in client.get(f"/my/sign-in/link/{token}").text
    assert client.post(f"/my/sign-in/link/{token}").status_code == 303
    assert client.get("/my/").status_code == 200
    assert "used up" in client.get(f"/my/sign-in/link/{token}").text
    assert client.post(f"/my/sign-in/link/{token}").status_code == 422


def test_a_link_lives_ten_minutes(app, build, monday):
    build.customer("Ada", email="ada@example.org")
    token = token_of_seed(request_customer_link("ada@example.org", ip="1").seed)

    with clock.frozen(monday + timedelta(minutes=10)):
        assert find_link(token, "customer") is None
        with pytest.raises(DomainError, match="expired"):
            consume_link(token, "customer")


def test_a_customer_link_opens_no_staff_door(app, build):
    build.person(email="both@example.org")
    build.customer("Both", email="both@example.org")
    token = customer_link("both@example.org")

    assert find_link(token, "staff") is None


def test_one_address_sees_all_its_customers_and_no_others(app, build):
    mine = build.posted("11", customer=build.customer("Ada", email="ada@example.org"))
    also = build.posted("22", customer=build.customer("Ada's shop", email="ada@example.org"))
    foreign = build.posted("33", customer=build.customer("Bob", email="bob@example.org"))
    pending = build.invoice("44", customer=mine.customer)
    browser = payer_client(app, "ada@example.org")

    home = browser.get("/my/")

    assert "$33.00" in home.text
    assert browser.get(f"/my/invoices/{also.id}").status_code == 200
    for hidden in (foreign, pending):
        for tail in ("", "/invoice.pdf"):
            assert browser.get(f"/my/invoices/{hidden.id}{tail}").status_code == 404
        assert browser.post(f"/my/pay/{hidden.id}").status_code == 404
    assert browser.post("/my/pay", data={"ids": [mine.id, foreign.id]}).status_code == 404


def test_ending_somebody_elses_session_is_not_possible(app, build):
    theirs = db.session.scalar(sa.select(sa.func.max(SignIn.id))) or 0
    staff_client(app, build, "Collector")
    theirs += 1
    browser = staff_client(app, build, "Office")
    assert browser.post(f"/staff/account/sign-ins/{theirs}/end").status_code == 404


def test_a_new_password_signs_the_other_browsers_out(app, build):
    here = staff_client(app, build, "Administrator")
    there = staff_client(app, build, "Administrator")

    here.post("/staff/account/password", data={"password": "a new long password"})

    assert here.get("/staff/").status_code == 200
    assert there.get("/staff/").status_code == 303
