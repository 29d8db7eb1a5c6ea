"""Set-up notices what is broken or out of date."""

import sys

import pytest

from tools import setup


def test_a_python_without_pip_is_made_anew(tmp_path):
    hollow = tmp_path / "python"
    hollow.write_text("#!/bin/sh\nexit 1\n")
    hollow.chmod(0o755)

    assert setup.works(sys.executable)
    assert not setup.works(str(hollow))
    assert not setup.works(str(tmp_path / "nothing-here"))


def test_a_step_is_done_again_when_one_of_its_files_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "STAMPS", tmp_path)
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    other.write_text("2")
    setup.stamp("step", one, other)
    assert setup.fresh("step", one, other)

    other.write_text("3")

    assert not setup.fresh("step", one, other)


def test_a_missing_library_is_named_to_somebody_who_is_not_root(monkeypatch):
    monkeypatch.setattr(setup.ctypes.util, "find_library", lambda _name: None)
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)

    with pytest.raises(SystemExit, match=r"libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"):
        setup.system_packages(dev=False)


def test_a_failed_step_names_itself(monkeypatch):
    with pytest.raises(SystemExit, match="This set-up step failed"):
        setup.run(sys.executable, "-c", "raise SystemExit(1)")


def test_pip_says_only_what_went_wrong(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(setup, "STAMPS", tmp_path)
    monkeypatch.setattr(setup, "run", lambda *command: said.append(command))
    monkeypatch.chdir(setup.ROOT)
    setup.install("requirements.lock")

    assert said[0].count("-q") == 2
    assert "--disable-pip-version-check" in said[0]
