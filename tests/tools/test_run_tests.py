"""`make test` tells every failure and loses no words, whatever runs beside."""

import sys

import pytest

from tools import run_tests


def step(name, code, words):
    return name, [sys.executable, "-c", f"import sys; print({words!r}); sys.exit({code})"]


def test_steps_side_by_side_speak_one_after_the_other_and_each_failure_is_named(capsys):
    steps = [step("one", 0, "all\nwell"), step("two", 3, "not\nwell"), step("three", 0, "fine")]

    assert run_tests.failures(steps) == ["two"]

    said = capsys.readouterr().out
    assert "=== one\nall\nwell\n=== one: ok in " in said
    assert "=== two\nnot\nwell\n=== two: FAILED in " in said
    assert "=== three\nfine\n=== three: ok in " in said


@pytest.mark.parametrize(("code", "failed"), [(0, []), (1, ["alone"])])
def test_a_step_of_its_own_speaks_while_it_runs(capfd, code, failed):
    assert run_tests.failures([step("alone", code, "words")]) == failed

    said = capfd.readouterr().out
    assert said.index("=== alone\n") < said.index("words\n") < said.index("=== alone: ")


def test_the_quick_check_and_the_whole_name_every_step_once():
    names = [name for steps in run_tests.QUICK + run_tests.REST for name, _command in steps]

    assert len(set(names)) == len(names) == 11
    assert "tests on PostgreSQL" in names


def test_a_failure_anywhere_is_the_exit_code(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["run_tests.py", "--quick"])
    monkeypatch.setattr(run_tests, "QUICK", [[step("bad", 1, "")], [step("good", 0, "")]])

    with pytest.raises(SystemExit, match=r"Failed: bad\."):
        run_tests.main()
