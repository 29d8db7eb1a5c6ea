"""Production starts only with what keeps its people safe; everything else has a default."""

import os
import subprocess
import sys

import pytest

from portal.settings import BadSettings, read_settings, with_address
from tests.architecture.graph import ROOT

GOOD = {"APP_ENV": "production", "SECRET_KEY": "k" * 32, "BASE_URL": "https://bills.example"}


def test_production_starts_with_a_long_key_and_an_https_address(tmp_path):
    settings = read_settings({**GOOD, "DATA_DIR": str(tmp_path)})

    assert (settings.is_production, settings.secure_cookies) == (True, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "k" * 31),
        ("BOUNCE_SECRET", "k" * 31),
        ("BASE_URL", ""),
        ("BASE_URL", "http://bills.example"),
        ("BASE_URL", "https://"),
    ],
)
def test_production_names_what_it_lacks(tmp_path, name, value):
    with pytest.raises(BadSettings, match=f"Set {name} to"):
        read_settings({**GOOD, "DATA_DIR": str(tmp_path / "d"), name: value})

    assert not (tmp_path / "d").exists()


def test_production_keeps_no_money_of_a_test_mode(tmp_path):
    """Its clearing has an account of its own; its fees, bad debt and disputes have not."""
    with pytest.raises(BadSettings, match="test mode, which moves no money"):
        read_settings({**GOOD, "DATA_DIR": str(tmp_path), "STRIPE_SECRET_KEY": "sk_test_1",
                       "STRIPE_WEBHOOK_SECRET": "whsec_1"})  # fmt: skip


@pytest.mark.parametrize("command", ["doctor", "serve", "found"])
def test_every_command_says_in_one_sentence_why_production_does_not_start(tmp_path, command):
    environ = {**os.environ, "APP_ENV": "production", "DATA_DIR": str(tmp_path / "d")}
    for name in ("SECRET_KEY", "BASE_URL"):
        environ.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", command],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Set SECRET_KEY" in done.stderr
    assert "Set BASE_URL" in done.stderr


def test_a_fresh_clone_makes_its_own_key_once_for_itself_alone(tmp_path):
    folder = tmp_path / "var"
    first = read_settings({"DATA_DIR": str(folder)})
    again = read_settings({"DATA_DIR": str(folder)})

    assert len(first.secret_key) > 32
    assert again.secret_key == first.secret_key
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["secret_key"]


def test_commands_beside_a_server_name_its_address(tmp_path, monkeypatch):
    monkeypatch.delenv("BASE_URL", raising=False)
    environ = {"DATA_DIR": str(tmp_path)}
    served = with_address(read_settings(environ), "127.0.0.1", 5108)

    assert served.base_url == "http://127.0.0.1:5108"
    assert read_settings(environ).base_url == "http://127.0.0.1:5108"
    assert (
        read_settings({**environ, "BASE_URL": "https://a.example"}).base_url == "https://a.example"
    )


def test_a_given_address_is_not_overruled_by_the_port(tmp_path, monkeypatch):
    monkeypatch.setenv("BASE_URL", "https://bills.example")
    settings = read_settings({"DATA_DIR": str(tmp_path), "BASE_URL": "https://bills.example"})

    assert with_address(settings, "127.0.0.1", 5108).base_url == "https://bills.example"
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_key_without_webhook_secret_is_one_sentence(tmp_path):
    environ = {**os.environ, "DATA_DIR": str(tmp_path), "STRIPE_SECRET_KEY": "sk_test_1"}
    environ.pop("STRIPE_WEBHOOK_SECRET", None)
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "doctor"],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Set STRIPE_WEBHOOK_SECRET" in done.stderr


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("", "sqlite:////data/fieldledger.sqlite3"),
        ("sqlite:///books.db", "sqlite:////data/books.db"),
        ("sqlite:////srv/books.db", "sqlite:////srv/books.db"),
        ("postgres://a@b/c", "postgresql+psycopg://a@b/c"),
    ],
)
def test_the_database_lies_where_one_would_look_for_it(given, understood):
    settings = read_settings({"DATA_DIR": "/data", "SECRET_KEY": "k", "DATABASE_URL": given})

    assert settings.database_url == understood
