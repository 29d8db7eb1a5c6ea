"""The only module that reads the environment; everything else is handed a `Settings`."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import click

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "served_at"  # a file of the data folder
SHORTEST_SECRET = 32  # characters


class BadSettings(click.ClickException, ValueError):
    """The app does not start like this; at the command line only the sentence is shown."""


@dataclass(frozen=True)
class Settings:
    """Every knob of an installation; the README's table is tested against these fields."""

    app_env: str
    secret_key: str
    base_url: str
    data_dir: Path
    database_url: str
    redis_url: str
    smtp_url: str
    mail_from: str
    twilio_account_sid: str
    twilio_auth_token: str
    twilio_from: str
    bounce_secret: str
    stripe_secret_key: str
    stripe_webhook_secret: str
    stripe_api_base: str
    allow_test_gateway: bool
    web_workers: int
    trusted_proxies: int

    @property
    def is_production(self) -> bool:
        return self.app_env == "production"

    @property
    def uses_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def sqlite_file(self) -> Path:
        """Where the SQLite database lies; only for `uses_sqlite`."""
        return Path(self.database_url.partition(":///")[2].partition("?")[0])

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://")


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment, with defaults that make a fresh clone run.

    Raises BadSettings when production lacks what keeps its people safe.
    """
    env = os.environ if environ is None else environ
    app_env = env.get("APP_ENV", "development")
    if app_env == "production":
        _refuse_unsafe(env)
    _refuse_half_a_text_gateway(env)
    data_dir = Path(env.get("DATA_DIR", str(ROOT / "var"))).resolve()
    return Settings(
        app_env=app_env,
        secret_key=env.get("SECRET_KEY") or _own_secret(data_dir),
        base_url=(env.get("BASE_URL") or _served_at(data_dir)).rstrip("/"),
        data_dir=data_dir,
        database_url=_database_url(env.get("DATABASE_URL", ""), data_dir),
        redis_url=env.get("REDIS_URL", ""),
        smtp_url=env.get("SMTP_URL", ""),
        mail_from=env.get("MAIL_FROM", ""),
        twilio_account_sid=env.get("TWILIO_ACCOUNT_SID", ""),
        twilio_auth_token=env.get("TWILIO_AUTH_TOKEN", ""),
        twilio_from=env.get("TWILIO_FROM", ""),
        bounce_secret=env.get("BOUNCE_SECRET", ""),
        stripe_secret_key=env.get("STRIPE_SECRET_KEY", ""),
        stripe_webhook_secret=env.get("STRIPE_WEBHOOK_SECRET", ""),
        stripe_api_base=env.get("STRIPE_API_BASE", ""),
        allow_test_gateway=env.get("ALLOW_TEST_GATEWAY", "") == "1",
        web_workers=int(env.get("WEB_WORKERS", "2")),
        trusted_proxies=int(env.get("TRUSTED_PROXIES", "0")),
    )


def with_address(settings: Settings, host: str, port: int) -> Settings:
    """The same settings, with links to where the server really listens unless BASE_URL says so.

    Remembered in the data folder, so that commands typed beside the server name its address.
    """
    if os.environ.get("BASE_URL"):
        return settings
    address = f"http://{host}:{port}"
    make_data_dir(settings.data_dir)
    (settings.data_dir / ADDRESS).write_text(address)
    return replace(settings, base_url=address)


def _served_at(data_dir: Path) -> str:
    """Where this installation was last served without a BASE_URL."""
    remembered = data_dir / ADDRESS
    return remembered.read_text().strip() if remembered.is_file() else "http://127.0.0.1:5000"


def environment_for_children(settings: Settings) -> dict[str, str]:
    """Our environment for processes we start, naming the address we were told to use."""
    return environment_with(BASE_URL=settings.base_url)


def environment_with(**more: str) -> dict[str, str]:
    """Our environment and more, for a program we start."""
    return {**os.environ, **more}


def make_data_dir(data_dir: Path) -> None:
    """Make the folder for this user alone: customers' data lies in it. One that is there stays."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


def _refuse_unsafe(env: Mapping[str, str]) -> None:
    """Everything that is wrong is told at once."""
    wrong = []
    if len(env.get("SECRET_KEY", "")) < SHORTEST_SECRET:
        wrong.append(
            f"Set SECRET_KEY to {SHORTEST_SECRET} random characters or more: it signs cookies and "
            "pay links, and a short one can be guessed."
        )
    address = urlsplit(env.get("BASE_URL", ""))
    if address.scheme != "https" or not address.hostname:
        wrong.append(
            "Set BASE_URL to the https:// address where people reach the app: mailed links name "
            "it, and cookies travel over https only."
        )
    if 0 < len(env.get("BOUNCE_SECRET", "")) < SHORTEST_SECRET:
        wrong.append(
            f"Set BOUNCE_SECRET to {SHORTEST_SECRET} random characters or more, or leave it out: "
            "who guesses it can mark addresses as dead."
        )
    if "_test_" in env.get("STRIPE_SECRET_KEY", ""):
        wrong.append(
            "STRIPE_SECRET_KEY is a key of Stripe's test mode, which moves no money: its payments, "
            "fees and disputes must not stand in real books. Set a live key, or none."
        )
    if wrong:
        raise BadSettings(" ".join(["Production does not start like this.", *wrong]))


def _refuse_half_a_text_gateway(env: Mapping[str, str]) -> None:
    names = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM")
    lacking = [name for name in names if not env.get(name)]
    if lacking and len(lacking) < len(names):
        raise BadSettings(f"Text messages need {', '.join(lacking)} too.")


def _database_url(given: str, data_dir: Path) -> str:
    if not given:
        return f"sqlite:///{data_dir / 'fieldledger.sqlite3'}"
    for prefix in ("postgres://", "postgresql://"):
        if given.startswith(prefix):
            return "postgresql+psycopg://" + given.removeprefix(prefix)
    scheme, found, path = given.partition(":///")
    if scheme.startswith("sqlite") and found and path and path[0] not in "/:":
        here, before = data_dir / path, ROOT / "instance" / path
        if before.exists() and not here.exists():
            raise BadSettings(
                f"The database lies in {before}. Move it to {here}, then start again."
            )
        return f"{scheme}:///{here}"  # one place, wherever the command was typed
    return given


def _own_secret(data_dir: Path) -> str:
    """A key of this installation's own, made once; production names its own."""
    path = data_dir / "secret_key"
    make_data_dir(data_dir)
    if not path.exists():  # written whole under another name first: nobody reads half a key
        with tempfile.NamedTemporaryFile("w", dir=data_dir) as file, suppress(FileExistsError):
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.link(file.name, path)
    return path.read_text().strip()
