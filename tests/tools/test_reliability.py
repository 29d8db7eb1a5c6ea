"""The page of the reliability figures is written as each run ends, and never forgets one."""

from dataclasses import replace

import pytest

from bench import reliability, reliability_page
from bench.reliability_page import Outcome, keep_outcome, read_outcomes
from bench.reliability_sections import BOTH, SECTIONS

FIRST, SECOND = SECTIONS[0], SECTIONS[1]
RAN = Outcome(
    command=FIRST.command("sqlite", 7), holds=True, outcome="4 passed", seconds=3,
    on="2026-03-02", machine="2 cores", engine="SQLite 3", figures=[["rows", "500 | 2"]],
)  # fmt: skip


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(reliability_page, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(reliability_page, "STORE", tmp_path / "store.json")
    return tmp_path / "page.md"


def test_what_ended_is_on_the_page_with_day_machine_engine_and_command(elsewhere):
    keep_outcome(FIRST, "sqlite", RAN)

    text = elsewhere.read_text()
    assert f"- `{RAN.command}`\n  holds: 4 passed (2026-03-02, SQLite 3, 3 s)" in text
    assert "Machine: 2 cores." in text
    assert "| rows | 500 \\| 2 |" in text
    assert "- Not run yet on postgresql." in text


def test_the_next_one_keeps_what_was_there(elsewhere):
    keep_outcome(FIRST, "sqlite", RAN)
    keep_outcome(SECOND, "sqlite", replace(RAN, holds=False))

    assert read_outcomes()[FIRST.key]["sqlite"] == RAN
    assert "**DID NOT HOLD**" in elsewhere.read_text()


def test_only_what_holds_as_it_is_written_now_is_left_out_as_done():
    keep_outcome(FIRST, "sqlite", RAN)
    keep_outcome(FIRST, "postgresql", replace(RAN, holds=False))

    held = reliability._held
    assert held(FIRST, "sqlite", RAN.command)
    assert not held(FIRST, "sqlite", RAN.command + " --rounds=9")
    assert not held(FIRST, "postgresql", RAN.command)


def test_a_figure_noted_again_is_the_last_that_was_said():
    lines = ['{"name": "kills", "value": "1"}', '{"name": "kills", "value": "2"}']

    assert reliability.figures_of(lines) == [("kills", "2")]
    assert {one.engines for one in SECTIONS} <= {BOTH, BOTH[:1], BOTH[1:]}
