"""The screens of online payments: what waits, one payout with its proof, a button for each."""

from io import BytesIO

import openpyxl
import pytest
import sqlalchemy as sa

from portal.company import company
from portal.db import db
from portal.kernel import clock
from portal.kernel.money import ZERO, Money
from portal.ledger import balance_of
from portal.models import (
    Account,
    AccountKind,
    AccountRole,
    AttemptState,
    BankDeposit,
    GatewayDifference,
    GatewayEvent,
    GatewayEventState,
    GatewayMovement,
    MovementKind,
    PaymentAttempt,
    Payout,
    PayoutState,
)
from portal.payment_collection import compare_with_gateway, settle_payout
from portal.payment_collection.deposits import keep_deposit
from portal.tasks import run_waiting
from tests.conftest import count_statements, staff_client
from tests.payment_collection.payout_world import PayoutWorld, big_payout
from tests.payment_collection.test_comparing import paid
from tests.payment_collection.test_payouts import in_account, known, only_payout
from tests.payment_collection.test_settling import begin, press

AT = "/staff/online-payments"
LISTS = ["", "/events", "/movements", "/differences", "/payouts"]


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_list_says_so(office, path):
    reply = office.get(f"{AT}{path}")

    assert reply.status_code == 200
    assert "empty-title" in reply.text


@pytest.mark.parametrize("path", ["/movements", "/differences", "/payouts"])
def test_who_may_not_reconcile_does_not_see_it(app, build, path):
    clerk = staff_client(app, build, "Office")

    assert clerk.get(f"{AT}{path}").status_code == 403
    assert clerk.post(f"{AT}/payouts/look").status_code == 403
    assert clerk.post(f"{AT}/payouts/test").status_code == 403


def test_a_test_payout_goes_its_way_by_buttons(office, build):
    paid(build)
    office.post(f"{AT}/payouts/test")
    run_waiting()
    payout_id = only_payout().id
    db.session.commit()
    page = office.get(f"{AT}/payouts/{payout_id}").text
    assert "TEST: it arrives" in page
    assert "$77.38" in page
    assert 'tabindex="0" role="region" aria-label="Proof"' in page  # it scrolls on a phone
    assert 'data-label="Fee"' in page
    assert 'data-label="Net"' in page

    office.post(f"{AT}/payouts/{payout_id}/arrival")
    page = office.get(f"{AT}/payouts/{payout_id}").text
    assert "nothing stays in clearing" in page
    assert "TEST GATEWAY Bank (no money)" in page
    assert "TEST: it arrives" not in page

    office.post(f"{AT}/payouts/{payout_id}/failure")
    assert only_payout().state is PayoutState.FAILED
    assert "The bank account is closed." in office.get(f"{AT}/payouts/{payout_id}").text


def test_a_payout_downloads_with_every_movement(office, build, seed):
    world = big_payout(build.customer(), seed, rows=60)
    payout_id = known(world.pay_out())
    settle_payout(payout_id)
    db.session.commit()

    with office.get(f"{AT}/payouts/{payout_id}/payout.xlsx") as reply:
        rows = list(openpyxl.load_workbook(BytesIO(reply.data)).active.values)

    assert len(rows) == 62  # the titles, the movements, the payout itself
    assert round(sum(row[7] for row in rows[1:]), 2) == 0


def test_lists_need_a_constant_number_of_statements(office, build):
    def count(names):
        for name in names:
            payment = build.payment(build.customer(), "10")
            db.session.add(GatewayMovement(
                gateway="test", livemode=False, movement_ref=name, kind=MovementKind.CHARGE,
                amount=payment.amount, fee=ZERO, net=payment.amount, moved_at=clock.now(),
                payment_id=payment.id, problem="It differs.",
            ))  # fmt: skip
        db.session.commit()
        with count_statements() as statements:
            assert office.get(f"{AT}/movements").status_code == 200
        return len(statements)

    office.get(f"{AT}/movements")
    assert count("abc") == count("defghijklmnop")


def test_one_more_cent_is_named_on_the_page_of_its_payout(office, build, seed):
    world = PayoutWorld(build.customer())
    world.charge()
    payout_id = known(world.pay_out(cent_on=0))
    settle_payout(payout_id)
    db.session.commit()

    page = office.get(f"{AT}/payouts/{payout_id}").text
    assert "Not everything matches" in page
    assert "here says" in page
    assert "wait for a person" in office.get("/staff/").text
    movement_id = db.session.scalars(sa.select(GatewayMovement.id)).one()
    db.session.commit()
    reply = office.post(f"{AT}/movements/{movement_id}/look", follow_redirects=True)
    assert "here says" in reply.text


def test_an_adjustment_is_booked_by_its_button(office, build):
    world = PayoutWorld(build.customer())
    world.charge()
    one = world.moved[0]
    kind = MovementKind.ADJUSTMENT.value
    world.moved.append(type(one)("adj", kind, -one.fee, ZERO, one.moved_at))
    payout_id = known(world.pay_out())
    settle_payout(payout_id)
    row = db.session.scalars(sa.select(GatewayMovement).where(GatewayMovement.problem != "")).one()
    movement_id = row.id
    db.session.commit()

    office.post(f"{AT}/movements/{movement_id}/fees")
    office.post(f"{AT}/payouts/{payout_id}/look")

    assert only_payout().matched_at is not None
    assert office.post(f"{AT}/movements/{movement_id}/fees").status_code == 422


def test_a_difference_is_recorded_or_explained(office, build):
    paid(build, heard=False)
    office.post(f"{AT}/differences/comparison")
    page = office.get(f"{AT}/differences").text
    assert "Record the money now" in page
    row_id = db.session.scalars(sa.select(GatewayDifference.id)).one()
    db.session.commit()

    empty = office.post(f"{AT}/differences/{row_id}/explanation", data={"because": ""})
    assert empty.status_code == 422
    assert "Say why" in empty.text
    office.post(f"{AT}/differences/{row_id}/recording")

    assert "Both lists agree now." in office.get(f"{AT}/differences?resolved=yes").text
    assert "Record the money now" not in office.get(f"{AT}/differences").text


def test_an_explained_difference_names_who_explained_it(office, build):
    build.payment(build.customer(), "10", provider="test", provider_ref="tpi_x", livemode=False)
    db.session.commit()
    compare_with_gateway()
    row_id = db.session.scalars(sa.select(GatewayDifference.id)).one()
    db.session.commit()

    office.get(f"{AT}/differences/{row_id}/explanation")
    office.post(f"{AT}/differences/{row_id}/explanation", data={"because": "Taken by hand."})

    page = office.get(f"{AT}/differences?resolved=yes").text
    assert "Administrator: Taken by hand." in page


def test_a_parked_event_is_set_aside_once(office, build):
    event = GatewayEvent(gateway="test", event_ref="e", kind="refund.x", body=b"{}",
                         state=GatewayEventState.PARKED, note="Nobody knows.")  # fmt: skip
    db.session.add(event)
    db.session.commit()
    event_id = event.id
    assert "Nobody knows." in office.get(f"{AT}/events").text

    office.post(f"{AT}/events/{event_id}/set-aside")

    assert "Nobody knows." not in office.get(f"{AT}/events").text
    assert "Set aside by Administrator." in office.get(f"{AT}/events?state=ignored").text
    assert office.post(f"{AT}/events/{event_id}/set-aside").status_code == 422


def test_an_attempt_parked_for_a_person_is_found_and_looked_at(office, build, monday):
    attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")
    attempt = db.session.get(PaymentAttempt, attempt_id)
    attempt.state, attempt.misses, attempt.next_check_at = AttemptState.UNKNOWN, 8, None
    db.session.commit()
    shown = office.get(f"{AT}?parked=yes").text
    assert "Parked after 8 looks" in shown

    office.post(f"{AT}/{attempt_id}/look")

    assert "Parked after" not in office.get(f"{AT}?parked=yes").text
    assert "Parked after" not in office.get(AT).text


def test_the_bank_account_of_payouts_is_chosen(office, build):
    page = office.get(f"{AT}/payouts").text
    assert "1010 Checking" in page
    assert "TEST GATEWAY Clearing" not in page
    version = company().version
    reply = office.post(f"{AT}/payouts/account", data={"version": version, "account_id": "999999"})
    assert reply.status_code == 422


def test_nothing_to_pay_out_is_said(office):
    reply = office.post(f"{AT}/payouts/test", follow_redirects=True)

    assert "nothing moved since" in reply.text
    assert db.session.scalars(sa.select(Payout)).all() == []


def test_real_payouts_arrive_in_the_chosen_account(office, build):
    bank = Account(number="1015", name="Second National", kind=AccountKind.ASSET)
    db.session.add(bank)
    db.session.commit()
    words = {"version": company().version, "account_id": bank.id}
    assert office.post(f"{AT}/payouts/account", data=words).status_code < 400

    payout = Payout(gateway="stripe", livemode=True, payout_ref="po_1", amount=Money.of(50),
                    arrives_on=build.today, state=PayoutState.PAID)  # fmt: skip
    db.session.add(payout)
    db.session.flush()
    keep_deposit(payout)
    keep_deposit(payout)

    deposit = db.session.scalars(sa.select(BankDeposit)).one()
    assert (deposit.account.name, deposit.amount) == ("Second National", Money.of(50))
    assert balance_of(bank.id, build.today) == Money.of(50)
    assert in_account(AccountRole.GATEWAY_CLEARING) == -Money.of(50)
