from datetime import date, timedelta

import pytest

from portal.audit import trail_of
from portal.customers import LocationWords, change_location
from portal.db import PageRequest, db
from portal.kernel.errors import Conflict, DomainError, InvalidFields
from portal.kernel.numbers import Rate
from portal.models import TaxBase
from portal.taxes import (
    RateWords,
    active_zones,
    add_zone,
    change_zone,
    find_zones,
    map_postal_code,
    postal_patterns,
    suggest_zone,
    unmap_postal_code,
)

NEW_YEAR = date(2026, 1, 1)


def words(percent="6.5", *, authority="State", base=TaxBase.SUBTOTAL, starts=NEW_YEAR, ends=None):
    return RateWords(authority, base, Rate.percent(percent), starts, ends)


def save(zone, *, name=None, active=True, rates=(), version=None):
    change_zone(
        zone, version=version or zone.version, name=name or zone.name, active=active, rates=rates
    )
    db.session.flush()


def test_a_rate_applies_from_its_first_day_to_its_last(build):
    zone = add_zone(
        name="Springfield",
        rates=[
            words("6.5", starts=date(2025, 1, 1), ends=date(2025, 12, 31)),
            words("7", starts=NEW_YEAR),
        ],
    )

    def percents(day):
        return [str(one.rate.as_percent.normalize()) for one in zone.rates_on(day)]

    assert percents(date(2024, 12, 31)) == []
    assert percents(date(2025, 12, 31)) == ["6.5"]
    assert percents(NEW_YEAR) == ["7"]


@pytest.mark.parametrize("ends", [NEW_YEAR, None])
def test_one_authority_never_charges_twice_on_the_same_day(build, ends):
    with pytest.raises(InvalidFields, match="Two rates of State would apply on the same day"):
        add_zone(name="Twice", rates=[words(starts=date(2025, 1, 1), ends=ends), words("7")])


def test_the_same_day_is_fine_for_another_base_or_authority(build):
    rates = [words(), words(base=TaxBase.LABOR), words(authority="County")]

    assert len(add_zone(name="Many", rates=rates).rates) == 3


@pytest.mark.parametrize(
    ("rate", "sentence"),
    [
        (words(authority=" "), "Name the authority"),
        (words("100.1"), "between 0 % and 100 %"),
        (words("-1"), "between 0 % and 100 %"),
        (words(ends=NEW_YEAR - timedelta(days=1)), "ends before it starts"),
    ],
)
def test_a_wrong_rate_is_refused_in_words(build, rate, sentence):
    with pytest.raises(InvalidFields, match=sentence):
        add_zone(name="Wrong", rates=[rate])


def test_a_zone_needs_a_name_of_its_own(build):
    build.zone("6", name="Springfield")

    with pytest.raises(InvalidFields, match="already has this name"):
        add_zone(name=" Springfield ", rates=[])
    with pytest.raises(InvalidFields, match="Give the zone a name"):
        add_zone(name=" ", rates=[])


def test_a_refused_change_leaves_the_zone_as_it_was(build):
    build.zone("6", name="Springfield")
    zone = build.zone("5", name="Shelbyville")

    with pytest.raises(InvalidFields):
        save(zone, name="Springfield", rates=[words()])

    assert (zone.name, len(zone.rates)) == ("Shelbyville", 1)


def test_an_old_version_is_refused_even_when_only_rates_were_saved(build):
    zone = build.zone("6")
    seen = zone.version
    save(zone, rates=[words("7")])

    with pytest.raises(Conflict):
        save(zone, rates=[words("8")], version=seen)


def test_a_changed_last_day_stands_in_the_trail(build):
    zone = add_zone(name="Springfield", rates=[words()])
    db.session.flush()

    save(zone, rates=[words(ends=date(2026, 12, 31))])

    assert "2026-12-31" in str(trail_of(zone)[0].changes["rates"][1])


def test_a_zone_with_locations_cannot_be_deactivated(build):
    zone = build.zone("6")
    location = build.location(zone=zone)

    with pytest.raises(DomainError, match="1 active location"):
        save(zone, active=False)

    change_location(
        location, LocationWords(street="1 Main St", active=False), version=location.version
    )
    save(zone, active=False)
    assert zone not in active_zones()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("98101", "Downtown"),  # the whole code beats every prefix
        ("98101-1234", "Downtown"),  # ZIP+4
        (" 98102 ", "Seattle"),  # the longest prefix wins
        ("98901", "Washington"),
        ("10001", "Elsewhere"),
        ("", None),
    ],
)
def test_the_best_fitting_pattern_suggests_the_zone(build, code, found):
    for name, pattern in (
        ("Downtown", "98101"), ("Seattle", "981*"), ("Washington", "98*"), ("Elsewhere", "*"),
    ):  # fmt: skip
        map_postal_code(pattern, build.zone("6", name=name))

    zone = suggest_zone(code).zone

    assert (zone.name if zone else None) == found


def test_two_zones_for_one_pattern_leave_the_choice_to_a_person(build):
    for name in ("West", "East"):
        map_postal_code("981*", build.zone("6", name=name))

    suggestion = suggest_zone("98101")

    assert suggestion.zone is None
    assert suggestion.ambiguous
    assert [one.name for one in suggestion.candidates] == ["East", "West"]


def test_a_deactivated_zone_is_not_suggested(build):
    zone = build.zone("6")
    map_postal_code("98101", zone)
    save(zone, active=False)

    assert suggest_zone("98101").zone is None


@pytest.mark.parametrize("pattern", ["", " ", "9*1", "**", "98-01", "%"])
def test_a_pattern_is_a_code_or_a_prefix(build, pattern):
    with pytest.raises(DomainError, match="postal code such as 98101"):
        map_postal_code(pattern, build.zone("6"))


def test_mapping_twice_is_quiet_and_unmapping_takes_only_the_zones_own(build):
    zone, other = build.zone("6"), build.zone("7")
    map_postal_code("k1a 0b1", zone)
    map_postal_code("K1A 0B1", zone)
    mapped = postal_patterns(zone)

    unmap_postal_code(mapped[0].id, other)

    assert [one.pattern for one in postal_patterns(zone)] == ["K1A 0B1"]


def test_zones_are_found_by_part_of_their_name(build):
    build.zone("6", name="King County")
    build.zone("6", name="100% rural")

    assert [one.name for one in find_zones("king", PageRequest()).rows] == ["King County"]
    assert [one.name for one in find_zones("%", PageRequest()).rows] == ["100% rural"]
