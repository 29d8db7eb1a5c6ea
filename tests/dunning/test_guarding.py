"""The guard rails: named cases, and thousands of simulated timelines checked by other means."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.dunning.guarding import ContactLimits, Reachable, Touch, may_contact
from portal.kernel.zones import AREA_ZONES, REGION_ZONES, is_zone, zones_of_phone, zones_of_region
from portal.models import ContactWay

CALL, SMS, EMAIL, LETTER = ContactWay.CALL, ContactWay.SMS, ContactWay.EMAIL, ContactWay.LETTER
CHICAGO = Reachable(frozenset({"America/Chicago"}))
NOON = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)  # twelve o'clock in Chicago
LAW = ContactLimits()


def asked(way=CALL, who=CHICAGO, touches=(), limits=LAW, now=NOON):
    return may_contact(way, who, touches, limits, now=now)


def test_a_first_call_at_noon_is_allowed():
    assert asked().allowed


def test_an_eighth_attempt_in_seven_days_waits_until_the_first_of_them_is_a_week_old():
    calls = [Touch(CALL, NOON - timedelta(days=6, hours=2) + timedelta(hours=n)) for n in range(7)]

    answer = asked(touches=calls)

    assert (answer.allowed, answer.rule) == (False, "attempts")
    assert answer.next_at == calls[0].at + timedelta(days=7)
    assert asked(touches=calls, now=answer.next_at).allowed
    assert asked(touches=calls[:6]).allowed


def test_texts_count_as_attempts_and_emails_only_when_told():
    texts = [Touch(SMS, NOON - timedelta(hours=n + 1)) for n in range(7)]
    mails = [Touch(EMAIL, NOON - timedelta(hours=n + 1)) for n in range(7)]

    assert asked(touches=texts).rule == "attempts"
    assert asked(touches=mails).allowed
    assert asked(touches=mails, limits=ContactLimits(counts_email=True)).rule == "attempts"


def test_after_a_conversation_nobody_calls_for_seven_days_but_a_letter_may_go():
    talk = [Touch(CALL, NOON - timedelta(days=6), conversation=True)]

    assert asked(touches=talk).rule == "conversation"
    assert asked(touches=talk).next_at == NOON + timedelta(days=1)
    assert asked(LETTER, touches=talk).allowed


@pytest.mark.parametrize(("hour", "allowed"), [(7, False), (8, True), (20, True), (21, False)])
def test_hours_are_the_customers(hour, allowed):
    at = datetime(
        2026, 3, 2, hour, 59 if hour in (7, 20) else 0, tzinfo=ZoneInfo("America/Chicago")
    )

    assert asked(now=at.astimezone(UTC)).allowed is allowed


def test_the_stricter_of_place_and_phone_counts():
    both = Reachable(zones_of_region("NY") | zones_of_phone("+18085550100"))
    ten_in_new_york = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)

    answer = asked(who=both, now=ten_in_new_york)

    assert answer.rule == "hours"
    assert answer.next_at == datetime(2026, 3, 2, 18, 0, tzinfo=UTC)  # eight in Honolulu


def test_clocks_that_never_agree_have_no_next_time():
    nowhere = Reachable(frozenset({"America/New_York", "Asia/Tokyo"}))

    answer = asked(who=nowhere, limits=ContactLimits(first_hour=10, last_hour=18))

    assert (answer.allowed, answer.next_at) == (False, None)


@pytest.mark.parametrize(
    ("who", "rule"),
    [
        (Reachable(CHICAGO.zones, bankrupt=True), "bankruptcy"),
        (Reachable(CHICAGO.zones, represented="Lex & Co"), "attorney"),
        (Reachable(CHICAGO.zones, ceased=True), "no contact"),
        (Reachable(CHICAGO.zones, opted_out=frozenset({SMS})), "opted out"),
        (Reachable(CHICAGO.zones, only_way=EMAIL), "preference"),
    ],
)
def test_what_only_a_person_can_change_has_no_next_time(who, rule):
    answer = asked(SMS, who=who)

    assert (answer.allowed, answer.rule, answer.next_at) == (False, rule, None)
    assert answer.sentence.endswith(".")


def test_the_clock_going_forward_does_not_open_the_day_an_hour_early():
    spring = datetime(2026, 3, 8, 3, 0, tzinfo=ZoneInfo("America/Chicago")).astimezone(UTC)

    assert asked(now=spring).next_at == datetime(2026, 3, 8, 13, 0, tzinfo=UTC)  # 8:00 CDT


def test_every_zone_we_name_exists():
    named = set().union(*REGION_ZONES.values(), *AREA_ZONES.values())

    assert all(is_zone(one) for one in named)
    assert not is_zone("America/Nowhere")
    assert not is_zone("")


def test_texas_is_asked_by_both_its_clocks_and_a_toll_free_number_by_none():
    assert zones_of_region("tx ") == {"America/Chicago", "America/Denver"}
    assert zones_of_phone("+18005550100") == frozenset()
    assert zones_of_region("TX", "FR") == frozenset()


ZONES = st.sampled_from(sorted({one for zones in REGION_ZONES.values() for one in zones}))
# Weeks around the changes of clocks, and some that are far from any.
STARTS = st.sampled_from([date(2026, 3, 5), date(2026, 10, 29), date(2025, 3, 6), date(2026, 7, 1)])
WANTS = st.lists(
    st.tuples(
        st.integers(1, 40 * 60),  # minutes until somebody wants to reach them again
        st.sampled_from([CALL, CALL, SMS, EMAIL]),
        st.booleans(),  # whether a call becomes a conversation
        st.booleans(),  # whether whoever is refused waits for the named time
    ),
    min_size=5,
    max_size=60,
)


def simulate(start, zones, wants, limits):
    """What really goes out when every wish asks the guard; waits for the time it names."""
    at = datetime.combine(start, datetime.min.time(), UTC)
    done = []
    for minutes, way, talked, waits in wants:
        at += timedelta(minutes=minutes)
        answer = may_contact(way, Reachable(zones), done, limits, now=at)
        if not answer.allowed and waits and answer.next_at is not None:
            at = answer.next_at
            answer = may_contact(way, Reachable(zones), done, limits, now=at)
            assert answer.allowed, "the time that was named is refused too"
        if answer.allowed:
            done.append(Touch(way, at, conversation=talked and way is CALL))
    return done


def violations(done, zones, limits):
    """An oracle of its own: calendar days and wall clocks, no rolling hours."""
    found = []
    for zone in zones:
        walls = [(one, one.at.astimezone(ZoneInfo(zone))) for one in done]
        found += [
            wall for _, wall in walls if not limits.first_hour <= wall.hour < limits.last_hour
        ]
        counted = [wall.date() for one, wall in walls if one.way in limits.counted]
        for day in counted:
            within = [one for one in counted if 0 <= (one - day).days < limits.attempt_days]
            found += [day] if len(within) > limits.most_attempts else []
    counted = [one for one in done if one.way in limits.counted]
    for earlier, later in pairwise(counted):
        near = later.at - earlier.at < timedelta(days=limits.rest_days)
        found += [later] if earlier.conversation and near else []
    return found


def timelines(count):
    @settings(max_examples=count, deadline=None, database=None)
    @given(
        STARTS,
        st.frozensets(ZONES, min_size=1, max_size=2),
        WANTS,
        st.builds(
            ContactLimits,
            most_attempts=st.integers(1, 7),
            rest_days=st.integers(7, 9),
            first_hour=st.integers(8, 9),
            last_hour=st.integers(20, 21),
            counts_email=st.booleans(),
        ),
    )
    def no_violation(start, zones, wants, limits):
        done = simulate(start, zones, wants, limits)
        assert not violations(done, zones, limits)

    return no_violation


def test_simulated_timelines_break_no_rule(request):
    timelines(request.config.getoption("--timelines"))()


def test_the_oracle_notices_what_a_guard_would_have_to_prevent():
    night = [Touch(CALL, datetime(2026, 3, 2, 5, 0, tzinfo=UTC))]
    too_many = [Touch(CALL, NOON + timedelta(hours=n / 2)) for n in range(8)]
    talked = [Touch(CALL, NOON, conversation=True), Touch(SMS, NOON + timedelta(days=6))]

    for done in (night, too_many, talked):
        assert violations(done, CHICAGO.zones, LAW)
